import TestSupport
import Testing
import TidingsWire

@Suite("WebSocketFrame")
struct WebSocketFrameTests {
    private static let lengths = [
        0, 1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 124, 125, 126, 127, 255, 256, 65534, 65535, 65536, 65537,
    ]

    @Test("A frame is what RFC 6455 §5.2 says", arguments: lengths)
    func frames(length: Int) {
        var generator = SeededGenerator(seed: UInt64(length))
        let payload = generator.bytes(length)
        #expect(WebSocketFrame.encode(.binary, payload) == RawFrame(opcode: 0x2, payload: payload).bytes)
        let mask: [UInt8] = [0x37, 0xFA, 0x21, 0x3D]
        let masked = WebSocketFrame.encode(.text, payload, mask: 0x37FA_213D)
        #expect(masked == RawFrame(opcode: 0x1, payload: payload, mask: mask).bytes)
    }

    @Test("A compressed message has the bit RSV1, and nothing else is different", arguments: lengths)
    func compressedFrames(length: Int) {
        var generator = SeededGenerator(seed: UInt64(length))
        let payload = generator.bytes(length)
        for (opcode, mask) in [(WebSocketOpcode.text, nil), (.binary, 0x37FA_213D)] as [(WebSocketOpcode, UInt32?)] {
            var plain = WebSocketFrame.encode(opcode, payload, mask: mask)
            plain[0] |= 0x40
            #expect(WebSocketFrame.encode(opcode, payload, isCompressed: true, mask: mask) == plain)
        }
    }

    @Test("The examples of RFC 6455 §5.7")
    func examples() throws {
        let hello = Array("Hello".utf8)
        #expect(WebSocketFrame.encode(.text, hello) == (try [UInt8](hex: "81 05 48656c6c6f")))
        #expect(
            WebSocketFrame.encode(.text, hello, mask: 0x37FA_213D)
                == (try [UInt8](hex: "81 85 37fa213d 7f9f4d5158"))
        )
        #expect(WebSocketFrame.encode(.ping, hello) == (try [UInt8](hex: "89 05 48656c6c6f")))
        #expect(
            WebSocketFrame.encode(.pong, hello, mask: 0x37FA_213D)
                == (try [UInt8](hex: "8a 85 37fa213d 7f9f4d5158"))
        )
    }

    @Test("What one side writes the other reads", arguments: 0..<100 as Range<UInt64>)
    func roundTrip(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        let mask: UInt32? = generator.once(in: 2) ? UInt32.random(in: 0...UInt32.max, using: &generator) : nil
        let text = Array(generator.text(generator.number(in: 0...300)).utf8)
        let data = generator.bytes(generator.number(in: 0...125))
        let bytes =
            WebSocketFrame.encode(.text, text, mask: mask) + WebSocketFrame.encode(.ping, data, mask: mask)
            + WebSocketFrame.encode(.pong, data, mask: mask) + WebSocketFrame.encode(.binary, data, mask: mask)
            + WebSocketFrame.close(.tooSlow, reason: "behind", mask: mask)
        let reading = Reading(whole: bytes, from: mask == nil ? .server : .client)
        #expect(reading.violation == nil)
        #expect(
            reading.messages == [
                .text(text), .ping(data), .pong(data), .binary(data), .close(.tooSlow, reason: "behind"),
            ]
        )
    }

    @Test("Every close code that may be sent arrives; the others leave a frame without a code")
    func closeCodes() {
        for rawValue in 0...UInt16.max {
            let code = CloseCode(rawValue: rawValue)
            let expected: WebSocketMessage = .close(code.mayBeSent ? code : .noCode, reason: "")
            guard Reading(whole: WebSocketFrame.close(code), from: .server).messages == [expected] else {
                Issue.record("\(code) does not arrive")
                return
            }
        }
    }

    @Test("A code that may not be sent takes its reason with it")
    func reasonWithoutCode() {
        #expect(WebSocketFrame.close(.abnormal, reason: "lost") == [0x88, 0x00])
    }

    @Test(
        "A reason is cut between characters to what a control frame carries",
        arguments: [
            (String(repeating: "a", count: 123), 123),
            (String(repeating: "a", count: 124), 123),
            (String(repeating: "é", count: 61), 122),
            (String(repeating: "é", count: 62), 122),
            (String(repeating: "🍔", count: 40), 120),
            (String(repeating: "👩‍🍳", count: 40), 121),
            ("a" + String(repeating: "\u{301}", count: 100), 0),
        ]
    )
    func longReasons(reason: String, bytes: Int) throws {
        let reading = Reading(whole: WebSocketFrame.close(.goingAway, reason: reason, mask: 7), from: .client)
        guard case .close(.goingAway, let arrived) = try #require(reading.messages.first) else {
            Issue.record("no close frame arrived")
            return
        }
        #expect(reason.hasPrefix(arrived))
        #expect(arrived.utf8.count == bytes)
    }

    #if os(Linux) || os(macOS)
    @Test("A control frame over 125 bytes is a mistake of the programmer")
    func largeControlFrame() async {
        await #expect(processExitsWith: .failure) {
            _ = WebSocketFrame.encode(.ping, Array(repeating: 0, count: 126))
        }
    }

    @Test("A compressed control frame is a mistake of the programmer")
    func compressedControlFrame() async {
        await #expect(processExitsWith: .failure) {
            _ = WebSocketFrame.encode(.ping, [], isCompressed: true)
        }
    }
    #endif
}
