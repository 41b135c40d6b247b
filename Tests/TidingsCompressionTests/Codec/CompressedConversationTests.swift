import TestSupport
import Testing
import TidingsCompression
import TidingsWire

@Suite("Compressed conversations")
struct CompressedConversationTests {
    @Test("What one side says the other hears, however it is cut", arguments: 0..<100 as Range<UInt64>)
    func conversations(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        let isMasked = generator.once(in: 2)
        let conversation = Conversation(isMasked: isMasked, using: &generator)
        var reader = WebSocketReader(
            from: isMasked ? .client : .server,
            maximumMessageBytes: 70_000,
            allowsCompression: true
        )
        let inflater = MessageInflater(maximumMessageBytes: 65_536)
        var messages: [WebSocketMessage] = []
        for piece in generator.cut(conversation.bytes, sizes: 1...generator.number(in: 1...5_000)) {
            try piece.withUnsafeBytes { piece in
                try reader.read(piece) { message throws(WebSocketViolation) in
                    messages.append(try inflater.restore(message))
                }
            }
        }
        #expect(messages == conversation.messages)
        #expect(reader.isIdle)
    }

    @Test("Nothing is heard behind a message that cannot be inflated")
    func violation() {
        let bytes =
            WebSocketFrame.encode(.text, [0xFF], isCompressed: true) + WebSocketFrame.encode(.ping, [])
        var reader = WebSocketReader(from: .server, maximumMessageBytes: 100, allowsCompression: true)
        let inflater = MessageInflater(maximumMessageBytes: 100)
        var messages: [WebSocketMessage] = []
        let violation = #expect(throws: WebSocketViolation.self) {
            try bytes.withUnsafeBytes { bytes in
                try reader.read(bytes) { message throws(WebSocketViolation) in
                    messages.append(try inflater.restore(message))
                }
            }
        }
        #expect(violation?.code == .invalidText)
        #expect(messages == [])
    }
}

/// Random messages, compressed or not, and the frames that they are sent in.
private struct Conversation {
    private(set) var bytes: [UInt8] = []
    private(set) var messages: [WebSocketMessage] = []
    private let isMasked: Bool
    private let deflater = MessageDeflater()

    init(isMasked: Bool, using generator: inout SeededGenerator) {
        self.isMasked = isMasked
        for _ in 0..<generator.number(in: 1...8) {
            switch generator.number(in: 0...4) {
            case 0: ping(using: &generator)
            case 1: whole(Self.text(using: &generator), using: &generator)
            default: fragments(Self.text(using: &generator), using: &generator)
            }
        }
    }

    private static func text(using generator: inout SeededGenerator) -> WebSocketMessage {
        let length = generator.messageLength()
        return generator.once(in: 2)
            ? .text(Array(generator.text(length / 4).utf8)) : .binary(generator.message(length))
    }

    private mutating func ping(using generator: inout SeededGenerator) {
        let payload = generator.bytes(generator.number(in: 0...20))
        bytes += WebSocketFrame.encode(.ping, payload, mask: mask(using: &generator))
        messages.append(.ping(payload))
    }

    private mutating func whole(_ message: WebSocketMessage, using generator: inout SeededGenerator) {
        let (opcode, payload) = Self.parts(of: message)
        bytes += deflater.frame(opcode, payload, mask: mask(using: &generator))
        messages.append(message)
    }

    /// Compressed and then cut, as RFC 7692 §6.1 says; pings in between.
    private mutating func fragments(_ message: WebSocketMessage, using generator: inout SeededGenerator) {
        let (opcode, payload) = Self.parts(of: message)
        let deflated = deflater.deflate(payload)
        let fragments = generator.cut(deflated, sizes: 1...generator.number(in: 1...(deflated.count + 100)))
        for (position, fragment) in fragments.enumerated() {
            var frame = WebSocketFrame.encode(
                position == 0 ? opcode : .continuation,
                Array(fragment),
                isCompressed: position == 0,
                mask: mask(using: &generator)
            )
            if position < fragments.count - 1 { frame[0] &= 0x7F }
            bytes += frame
            if position < fragments.count - 1, generator.once(in: 20) { ping(using: &generator) }
        }
        messages.append(message)
    }

    private static func parts(of message: WebSocketMessage) -> (WebSocketOpcode, [UInt8]) {
        switch message {
        case .text(let payload): (.text, payload)
        case .binary(let payload): (.binary, payload)
        default: (.ping, [])
        }
    }

    private func mask(using generator: inout SeededGenerator) -> UInt32? {
        isMasked ? UInt32.random(in: 0...UInt32.max, using: &generator) : nil
    }
}
