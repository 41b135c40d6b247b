import TestSupport
import Testing
import TidingsWire

/// A case of `websocket-frames.json`.
struct FrameVector: Decodable, Sendable, CustomTestStringConvertible {
    let title: String
    let from: String
    let limit: Int?
    let compression: Bool?
    let idle: Bool?
    let bytes: GeneratedText
    let messages: [Message]?
    let violation: Violation?

    struct Message: Decodable, Sendable {
        let type: String
        let text: GeneratedText?
        let bytes: GeneratedText?
        let isText: Bool?
        let code: UInt16?
        let reason: GeneratedText?
    }

    struct Violation: Decodable, Sendable {
        let code: UInt16
        let after: Int
    }

    static func readable() throws -> [FrameVector] {
        try Vectors.cases("websocket-frames").filter { $0.violation == nil }
    }

    static func violating() throws -> [FrameVector] {
        try Vectors.cases("websocket-frames").filter { $0.violation != nil }
    }

    var testDescription: String { "\(title) (\(from))" }
    private var peer: WebSocketReader.Peer { from == "client" ? .client : .server }
    var rules: Reading.Rules {
        Reading.Rules(from: peer, limit: limit ?? 1_048_576, allowsCompression: compression ?? false)
    }

    func expectedMessages() throws -> [WebSocketMessage] {
        try (messages ?? []).map { try $0.message() }
    }
}

extension FrameVector.Message {
    func message() throws -> WebSocketMessage {
        switch type {
        case "text": .text(Array(try #require(text).text.utf8))
        case "binary": .binary(try #require(bytes).bytes())
        case "compressed": .compressed(try #require(bytes).bytes(), isText: try #require(isText as Bool?))
        case "ping": .ping(try #require(bytes).bytes())
        case "pong": .pong(try #require(bytes).bytes())
        case "close": .close(CloseCode(rawValue: try #require(code)), reason: try #require(reason).text)
        default: throw VectorError(file: "websocket-frames", fault: "there is no type of message \(type)")
        }
    }
}
