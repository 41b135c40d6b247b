import TestSupport
import Testing

/// A case of `permessage-deflate.json`.
struct DeflateVector: Decodable, Sendable, CustomTestStringConvertible {
    let title: String
    let limit: Int?
    let keepsContext: Bool?
    let messages: [Message]?
    let violation: Violation?

    struct Message: Decodable, Sendable {
        let deflated: GeneratedText
        let text: GeneratedText?
        let bytes: GeneratedText?

        func inflated() throws -> [UInt8] {
            if let text { return Array(text.text.utf8) }
            return try #require(bytes).bytes()
        }
    }

    struct Violation: Decodable, Sendable {
        let deflated: GeneratedText
        let code: UInt16
    }

    static func all() throws -> [DeflateVector] {
        try Vectors.cases("permessage-deflate")
    }

    var testDescription: String { title }
    var maximumMessageBytes: Int { limit ?? 1_048_576 }
}
