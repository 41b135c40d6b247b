import TestSupport
import Testing
import TidingsCompression
import TidingsWire

@Suite("MessageInflater")
struct MessageInflaterTests {
    private static let limit = 64 * 1024
    private static let tail: [UInt8] = [0x00, 0x00, 0xFF, 0xFF]

    @Test("A gigabyte of zeros is given up at the limit", arguments: [0, 1, 1000, limit, 4 * limit])
    func bomb(limit: Int) {
        let zeros = MessageDeflater().deflate([UInt8](repeating: 0, count: 65_536)) + Self.tail
        var taken = 0
        let pieces = (0..<16_384).lazy.map { _ -> [UInt8] in
            taken += 1
            return zeros
        }
        let inflater = MessageInflater(maximumMessageBytes: limit)
        let violation = #expect(throws: WebSocketViolation.self) { try inflater.inflate(pieces: pieces) }
        #expect(violation?.code == .messageTooBig)
        #expect(taken == limit / 65_536 + 1)
    }

    @Test("A bomb in one piece leaves the inflater as good as new")
    func bombInOnePiece() throws {
        let deflater = MessageDeflater()
        let zeros = deflater.deflate([UInt8](repeating: 0, count: 65_536)) + Self.tail
        let bomb = Array(repeatElement(zeros, count: 16_384).joined())
        let inflater = MessageInflater(maximumMessageBytes: Self.limit)
        for _ in 0..<3 {
            let violation = #expect(throws: WebSocketViolation.self) { try inflater.inflate(bomb) }
            #expect(violation?.code == .messageTooBig)
            #expect(try inflater.inflate(deflater.deflate([1, 2, 3])) == [1, 2, 3])
        }
    }

    @Test("The limit is exact, and a message takes no more memory than it", arguments: [1, 999, 16_384, 20_000, limit])
    func limits(limit: Int) throws {
        let deflater = MessageDeflater()
        let inflater = MessageInflater(maximumMessageBytes: limit)
        let message = try inflater.inflate(deflater.deflate([UInt8](repeating: 7, count: limit)))
        #expect(message.count == limit)
        // The system rounds up what it is asked for.
        #expect(message.capacity <= limit + 4096)
        let violation = #expect(throws: WebSocketViolation.self) {
            try inflater.inflate(deflater.deflate([UInt8](repeating: 7, count: limit + 1)))
        }
        #expect(violation?.code == .messageTooBig)
    }

    @Test("Blocks without content cost no memory and end in time")
    func emptyBlocks() throws {
        let inflater = MessageInflater(maximumMessageBytes: 10)
        let last = Array(repeatElement([0x03, 0x00] as [UInt8], count: 32_000).joined()) + [0x00]
        let stored = Array(repeatElement([0x00] + Self.tail, count: 13_000).joined()) + [0x00]
        #expect(try inflater.inflate(last) == [])
        #expect(try inflater.inflate(stored) == [])
    }

    @Test("A message that was cut is never taken for the whole", arguments: 0..<50 as Range<UInt64>)
    func truncated(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        let message = generator.message(generator.number(in: 1...3_000))
        let deflated = MessageDeflater().deflate(message)
        let inflater = MessageInflater(maximumMessageBytes: Self.limit)
        for _ in 0..<20 {
            let cut = Array(deflated[..<generator.number(in: 0...(deflated.count - 1))])
            let outcome = Outcome(of: cut, in: inflater)
            #expect(outcome != .message(message))
            #expect(outcome.isMessage(upTo: Self.limit) || outcome == .violation(.invalidText))
        }
    }

    @Test("A message with broken bits ends in a message or a violation", arguments: 0..<50 as Range<UInt64>)
    func corrupt(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        let message = generator.message(generator.number(in: 1...3_000))
        let deflater = MessageDeflater()
        let deflated = deflater.deflate(message)
        let inflater = MessageInflater(maximumMessageBytes: 4096)
        for _ in 0..<20 {
            var broken = deflated
            for _ in 0..<generator.number(in: 1...4) {
                broken[generator.number(in: 0...(broken.count - 1))] ^= UInt8(1) << UInt8(generator.number(in: 0...7))
            }
            let outcome = Outcome(of: broken, in: inflater)
            #expect(outcome.isMessage(upTo: 4096) || outcome.isViolation)
            #expect(try inflater.inflate(deflated) == message)
        }
    }

    @Test("Garbage ends in a message or a violation, alike in any pieces", arguments: 0..<20 as Range<UInt64>)
    func garbage(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        let inflater = MessageInflater(maximumMessageBytes: 1000)
        for _ in 0..<500 {
            let bytes = generator.bytes(generator.number(in: 0...100))
            let whole = Outcome(of: bytes, in: inflater)
            let pieces = generator.cut(bytes, sizes: 1...9).map(Array.init)
            #expect(Outcome(ofPieces: pieces, in: inflater) == whole, "\(bytes)")
            #expect(whole.isMessage(upTo: 1000) || whole.isViolation)
        }
    }

    @Test("Texts are judged when they are inflated, other messages left as they are")
    func restoring() throws {
        let deflater = MessageDeflater()
        let inflater = MessageInflater(maximumMessageBytes: 1000)
        let (text, broken): ([UInt8], [UInt8]) = (Array("é".utf8), [0xC3])
        #expect(try inflater.restore(.compressed(deflater.deflate(text), isText: true)) == .text(text))
        #expect(try inflater.restore(.compressed(deflater.deflate(broken), isText: false)) == .binary(broken))
        let violation = #expect(throws: WebSocketViolation.self) {
            try inflater.restore(.compressed(deflater.deflate(broken), isText: true))
        }
        #expect(violation?.code == .invalidText)
        let others: [WebSocketMessage] = [
            .text([0x61]), .binary([1]), .ping([2]), .pong([3]), .close(.normal, reason: ""),
        ]
        for message in others { #expect(try inflater.restore(message) == message) }
    }
}

/// What became of a message.
private enum Outcome: Equatable {
    case message([UInt8])
    case violation(CloseCode)

    init(of message: [UInt8], in inflater: MessageInflater) {
        self.init(ofPieces: [message], in: inflater)
    }

    init(ofPieces pieces: [[UInt8]], in inflater: MessageInflater) {
        do throws(WebSocketViolation) {
            self = .message(try inflater.inflate(pieces: pieces))
        } catch {
            self = .violation(error.code)
        }
    }

    func isMessage(upTo limit: Int) -> Bool {
        guard case .message(let bytes) = self else { return false }
        return bytes.count <= limit
    }

    var isViolation: Bool {
        self == .violation(.invalidText) || self == .violation(.messageTooBig)
    }
}
