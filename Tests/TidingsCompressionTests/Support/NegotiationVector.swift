import TestSupport
import Testing

/// A case of `permessage-deflate-negotiation.json`.
struct NegotiationVector: Decodable, Sendable, CustomTestStringConvertible {
    let title: String
    let from: String
    let values: [String]
    let malformed: Bool?
    let answer: String?
    let serverKeepsContext: Bool?

    static func from(_ side: String) throws -> [NegotiationVector] {
        try Vectors.cases("permessage-deflate-negotiation").filter { $0.from == side }
    }

    var testDescription: String { title }
    var isMalformed: Bool { malformed ?? false }
}
