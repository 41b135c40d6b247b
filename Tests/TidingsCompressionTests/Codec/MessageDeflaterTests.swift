import TestSupport
import Testing
import TidingsWire

@testable import TidingsCompression

@Suite("MessageDeflater")
struct MessageDeflaterTests {
    @Test("An empty message is a single zero (RFC 7692 §7.2.3.6)")
    func empty() throws {
        let deflater = MessageDeflater()
        #expect(deflater.deflate([]) == [0x00])
        #expect(deflater.deflate([0x61]).count > 1)
        #expect(deflater.deflate([]) == [0x00])
    }

    @Test("The example of RFC 7692 §7.2.3.1")
    func example() throws {
        #expect(try MessageDeflater().deflate(Array("Hello".utf8)) == [UInt8](hex: "f248cdc9c90700"))
    }

    @Test("Messages come back, one instance at either end for all of them", arguments: 0..<20 as Range<UInt64>)
    func roundTrips(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        let deflater = MessageDeflater()
        let inflaters = [false, true].map { MessageInflater(maximumMessageBytes: 65_536, keepsContext: $0) }
        for _ in 0..<30 {
            let message = generator.message(generator.messageLength())
            let deflated = deflater.deflate(message)
            for inflater in inflaters {
                #expect(try inflater.inflate(deflated) == message)
            }
        }
    }

    @Test("Every length around the room that is written to", arguments: [4 * 1024, 16 * 1024, 32 * 1024])
    func roomBorders(length: Int) throws {
        var generator = SeededGenerator(seed: UInt64(length))
        let noise = generator.bytes(length + 40)
        let deflater = MessageDeflater()
        let inflater = MessageInflater(maximumMessageBytes: noise.count)
        for length in (length - 40)...(length + 40) {
            let message = Array(noise[..<length])
            #expect(try inflater.inflate(deflater.deflate(message)) == message)
        }
    }

    @Test("A message is compressed alike, whatever was compressed before")
    func independence() {
        var generator = SeededGenerator(seed: 1)
        let message = generator.message(1000)
        let deflater = MessageDeflater()
        let first = deflater.deflate(message)
        for _ in 0..<10 {
            _ = deflater.deflate(generator.message(generator.messageLength()))
            #expect(deflater.deflate(message) == first)
        }
        #expect(MessageDeflater().deflate(message) == first)
    }

    @Test("A receiver needs no larger window than was promised", arguments: 0..<10 as Range<UInt64>)
    func window(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        let chapter = generator.bytes(generator.number(in: 100...4_000))
        let message = chapter + generator.message(generator.number(in: 0...3_000)) + chapter + generator.message(10_000)
        let deflated = MessageDeflater().deflate(message)
        // Little room, so that what lies behind is only in the window.
        let inflater = MessageInflater(
            65_536,
            keepsContext: false,
            windowBits: MessageDeflater.windowBits,
            roomBytes: 16
        )
        #expect(try inflater.inflate(deflated) == message)
    }

    @Test("What a smaller window could not hold is noticed: the test above can fail")
    func windowTooSmall() {
        var generator = SeededGenerator(seed: 1)
        let chapter = generator.bytes(3_000)
        let deflated = MessageDeflater().deflate(chapter + chapter)
        let inflater = MessageInflater(65_536, keepsContext: false, windowBits: 9, roomBytes: 16)
        #expect(throws: WebSocketViolation.self) { try inflater.inflate(deflated) }
    }

    @Test("A frame is compressed where that makes it smaller, and only there")
    func frames() throws {
        var generator = SeededGenerator(seed: 1)
        let deflater = MessageDeflater()
        let text = Array(String(repeating: "order", count: 20).utf8)
        let noise = generator.bytes(100)
        for mask in [nil, 7] as [UInt32?] {
            let small = WebSocketFrame.encode(.text, deflater.deflate(text), isCompressed: true, mask: mask)
            #expect(deflater.frame(.text, text, mask: mask) == small)
            #expect(deflater.frame(.binary, noise, mask: mask) == WebSocketFrame.encode(.binary, noise, mask: mask))
            #expect(deflater.frame(.text, [], mask: mask) == WebSocketFrame.encode(.text, [], mask: mask))
            let zeros = [UInt8](repeating: 0, count: 125)
            for control in [WebSocketOpcode.ping, .pong] {
                #expect(deflater.frame(control, zeros, mask: mask) == WebSocketFrame.encode(control, zeros, mask: mask))
            }
        }
    }
}
