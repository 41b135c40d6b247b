import TestSupport
import Testing
import TidingsWire

@Suite("WebSocketReader: random walks")
struct WebSocketReaderWalkTests {
    @Test("A conversation comes back, however it is cut, masked and read", arguments: 0..<200 as Range<UInt64>)
    func conversations(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        let peer: WebSocketReader.Peer = generator.once(in: 2) ? .client : .server
        let rules = Reading.Rules(from: peer, allowsCompression: generator.once(in: 2))
        let conversation = Conversation(by: rules, using: &generator)
        let pieces = generator.cut(conversation.bytes, sizes: 1...generator.number(in: 1...200))
        let reading = Reading(pieces, by: rules)
        #expect(reading.violation == nil)
        #expect(reading.messages == conversation.messages)
        #expect(reading.isIdle)
    }

    @Test("A conversation with a broken byte ends alike, however it is read", arguments: 0..<300 as Range<UInt64>)
    func brokenConversations(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        let peer: WebSocketReader.Peer = generator.once(in: 2) ? .client : .server
        let rules = Reading.Rules(from: peer, limit: 4096, allowsCompression: generator.once(in: 2))
        let conversation = Conversation(by: rules, using: &generator)
        var bytes = conversation.bytes
        bytes[generator.number(in: 0...(bytes.count - 1))] ^= UInt8(1) << UInt8(generator.number(in: 0...7))
        let whole = Reading(whole: bytes, by: rules)
        let byByte = Reading(byByte: bytes, by: rules)
        let pieces = Reading(generator.cut(bytes, sizes: 1...50), by: rules)
        #expect(byByte.outcome == whole.outcome)
        #expect(pieces.outcome == whole.outcome)
        let earliest = byByte.bytesUntilViolation ?? 0
        #expect(pieces.bytesUntilViolation ?? 0 >= earliest)
    }

    @Test("Garbage ends in messages or a violation", arguments: 0..<20 as Range<UInt64>)
    func garbage(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        for _ in 0..<500 {
            var bytes = generator.bytes(generator.number(in: 0...80))
            // Half of the inputs begin like a frame: garbage alone hardly gets past its second byte.
            if generator.once(in: 2), bytes.count >= 2 {
                bytes[0] = [0x01, 0x02, 0x41, 0x81, 0x82, 0x88, 0x89, 0x8A, 0xC1, 0xC2][generator.number(in: 0...9)]
                bytes[1] &= 0x9F
            }
            for peer in [WebSocketReader.Peer.client, .server] {
                let rules = Reading.Rules(from: peer, limit: 64, allowsCompression: generator.once(in: 2))
                let whole = Reading(whole: bytes, by: rules)
                let pieces = Reading(generator.cut(bytes, sizes: 1...9), by: rules)
                #expect(pieces.outcome == whole.outcome, "\(bytes)")
            }
        }
    }

    @Test("A reader that found a violation may be fed on without harm", arguments: 0..<20 as Range<UInt64>)
    func afterViolation(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        for _ in 0..<50 {
            let peer: WebSocketReader.Peer = generator.once(in: 2) ? .client : .server
            var reader = Reading.Rules(from: peer, limit: 64, allowsCompression: generator.once(in: 2)).reader
            for _ in 0..<10 {
                let bytes = generator.bytes(generator.number(in: 0...40))
                bytes.withUnsafeBytes { try? reader.read($0) { _ in } }
            }
        }
    }
}

/// Random messages and the frames that they are sent in.
private struct Conversation {
    private(set) var bytes: [UInt8] = []
    private(set) var messages: [WebSocketMessage] = []
    private let isMasked: Bool

    init(by rules: Reading.Rules, using generator: inout SeededGenerator) {
        isMasked = rules.from == .client
        for _ in 0..<generator.number(in: 1...12) {
            switch generator.number(in: 0...(rules.allowsCompression ? 5 : 3)) {
            case 0: control(using: &generator)
            case 4...5: data(Self.compressed(using: &generator), using: &generator)
            case 1: data(.binary(generator.bytes(Self.length(using: &generator))), using: &generator)
            default: data(.text(Array(generator.text(Self.length(using: &generator)).utf8)), using: &generator)
            }
        }
        if generator.once(in: 3) { close(using: &generator) }
    }

    /// Mostly short; now and then of a length at which a frame's header changes.
    private static func length(using generator: inout SeededGenerator) -> Int {
        generator.once(in: 8) ? generator.number(in: 100...700) : generator.number(in: 0...40)
    }

    /// The reader does not look into what is compressed, so it may be anything.
    private static func compressed(using generator: inout SeededGenerator) -> WebSocketMessage {
        .compressed(generator.bytes(length(using: &generator)), isText: generator.once(in: 2))
    }

    private mutating func control(using generator: inout SeededGenerator) {
        let payload = generator.bytes(generator.once(in: 4) ? 125 : generator.number(in: 0...20))
        let isPing = generator.once(in: 2)
        append(RawFrame(opcode: isPing ? 0x9 : 0xA, payload: payload), using: &generator)
        messages.append(isPing ? .ping(payload) : .pong(payload))
    }

    private mutating func data(_ message: WebSocketMessage, using generator: inout SeededGenerator) {
        let (opcode, payload, isCompressed): (UInt8, [UInt8], Bool) =
            switch message {
            case .text(let payload): (0x1, payload, false)
            case .binary(let payload): (0x2, payload, false)
            case .compressed(let payload, let isText): (isText ? 0x1 : 0x2, payload, true)
            default: (0x9, [], false)
            }
        var fragments = generator.cut(payload, sizes: 1...max(1, payload.count)).map(Array.init)
        if fragments.isEmpty || generator.once(in: 5) { fragments.append([]) }
        for (position, fragment) in fragments.enumerated() {
            let isFinal = position == fragments.count - 1
            let frame = RawFrame(
                opcode: position == 0 ? opcode : 0x0,
                payload: fragment,
                isFinal: isFinal,
                isCompressed: isCompressed && position == 0
            )
            append(frame, using: &generator)
            if !isFinal, generator.once(in: 3) { control(using: &generator) }
        }
        messages.append(message)
    }

    private mutating func close(using generator: inout SeededGenerator) {
        let reason = generator.text(generator.number(in: 0...30))
        append(RawFrame(opcode: 0x8, payload: [0x0F, 0xA0] + Array(reason.utf8)), using: &generator)
        messages.append(.close(.draining, reason: reason))
    }

    private mutating func append(_ frame: RawFrame, using generator: inout SeededGenerator) {
        var frame = frame
        frame.mask = isMasked ? generator.bytes(4) : nil
        bytes += frame.bytes
    }
}
