import TestSupport
import Testing
import TidingsWire

/// A case of one of the files `…-client-messages.json`, with the dialect that the file is about.
struct ClientMessageVector: Sendable, CustomTestStringConvertible {
    let dialect: Dialect
    let content: Content

    struct Content: Decodable, Sendable {
        let title: String
        let text: GeneratedText
        let message: Message?
        let error: String?
        /// The identifier of the error.
        let id: Identifier?
    }

    struct Message: Decodable, Sendable {
        let id: Identifier?
        let auth: String?
        let subscribe: [GeneratedText]?
        /// null for one that cannot be read.
        let since: [String: String?]?
        let unsubscribe: [GeneratedText]?
        let ping: Int?
        let publish: Publish?
        let refused: [Refusal]?
    }

    struct Publish: Decodable, Sendable {
        let channel: String
        let event: String
        let payload: JSONTree
    }

    struct Refusal: Decodable, Hashable, Sendable {
        let code: String
        let channel: String?
    }

    var text: [UInt8] { Array(content.text.text.utf8) }
    var testDescription: String { "\(dialect): \(content.title)" }

    static func all() throws -> [ClientMessageVector] {
        try Dialect.allCases.flatMap { dialect in
            try Vectors.cases("\(dialect)-client-messages", of: Content.self)
                .map { ClientMessageVector(dialect: dialect, content: $0) }
        }
    }
}

/// The identifier of a request, as JSON has it.
struct Identifier: Decodable, Sendable {
    let value: RequestIdentifier

    init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        if let number = try? container.decode(Int.self) {
            value = RequestIdentifier(number)
        } else {
            value = try #require(RequestIdentifier(try container.decode(String.self)))
        }
    }
}
