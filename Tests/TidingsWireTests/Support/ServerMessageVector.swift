import TestSupport
import Testing
import TidingsWire

/// A case of one of the files `…-server-messages.json`, with the dialect that the file is about.
struct ServerMessageVector: Sendable, CustomTestStringConvertible {
    let dialect: Dialect
    let content: Content

    struct Content: Decodable, Sendable {
        let name: String
        let text: String
        /// What the text means; nil if it is to be ignored.
        let message: Message?
        /// An event that is written as this text.
        let source: Source?
        /// Whether the message is written as this text.
        let encodable: Bool?
    }

    struct Message: Decodable, Sendable {
        let type: String
        let id: Identifier?
        // An event.
        let channel: String?
        let event: String?
        let payload: JSONTree?
        let position: String?
        let spread: Int?
        let time: String?
        let traceID: String?
        // A reply.
        let subscribed: [Subscribed]?
        let refused: [Refused]?
        let unsubscribed: [String]?
        let published: String?
        let authenticated: Identity?
        let pong: Int?
        // An error.
        let code: String?
        let message: String?
        // A pong of the plain dialect.
        let value: Int?
        // A welcome.
        let connection: String?
        let server: String?
        let heartbeat: Int?
        // The end of a connection.
        let reconnectWithin: Int?

        enum CodingKeys: String, CodingKey {
            case type, id, channel, event, payload, position, subscribed, refused, unsubscribed, published
            case authenticated, pong, code, message, value, connection, server
            case time
            case traceID = "trace_id"
            case spread = "spread_ms"
            case heartbeat = "heartbeat_ms"
            case reconnectWithin = "reconnect_within_ms"
        }
    }

    struct Source: Decodable, Sendable {
        let channel: String
        let event: String
        let payload: String
        let time: String?
        let traceID: String?
        /// How a feed's frames are declared; nil where it does not matter.
        let frame: String?

        enum CodingKeys: String, CodingKey {
            case channel, event, payload, time, frame
            case traceID = "trace_id"
        }
    }

    struct Subscribed: Decodable, Hashable, Sendable {
        let channel: String
        let position: String?
        let recovered: Bool
        let spread: Int?

        enum CodingKeys: String, CodingKey {
            case channel, position, recovered
            case spread = "spread_ms"
        }
    }

    struct Refused: Decodable, Hashable, Sendable {
        let code: String
        let message: String
        let channel: String?
    }

    struct Identity: Decodable, Hashable, Sendable {
        let subject: String?
        let expiresAt: String?

        enum CodingKeys: String, CodingKey {
            case subject
            case expiresAt = "expires_at"
        }
    }

    var text: [UInt8] { Array(content.text.utf8) }
    var testDescription: String { "\(dialect): \(content.name)" }

    static func all() throws -> [ServerMessageVector] {
        try Dialect.allCases.flatMap { dialect in
            try Vectors.cases("\(dialect)-server-messages", of: Content.self)
                .map { ServerMessageVector(dialect: dialect, content: $0) }
        }
    }
}
