import Foundation
import TestSupport
import Testing
import TidingsEntities
import TidingsWire

/// The whole document of a restaurant, kept in `Tests/Vectors` for everybody who reads such documents.
///
/// Run with UPDATE_VECTORS=1 to write it anew, and look at what has changed.
@Suite("The OpenAPI document of a restaurant")
struct OpenAPIVectorTests {
    @Test("is what is kept, byte by byte but for white space")
    func vector() throws {
        let document = try DescribedDocument()
        if ProcessInfo.processInfo.environment["UPDATE_VECTORS"] != nil {
            try Data(Array((document.root.indented() + "\n").utf8)).write(to: Self.file)
        }
        let kept = try JSONNode(parsing: Array(Data(contentsOf: Self.file)), maximumDepth: 64)
        #expect(kept.json == document.json, "Run this test with UPDATE_VECTORS=1, and look at what has changed.")
    }

    @Test("is the same whenever it is asked for")
    func repeats() throws {
        let first = try DescribedDocument()
        for _ in 0..<20 { #expect(try DescribedDocument().json == first.json) }
    }

    private static var file: URL {
        URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
            .appending(path: "Vectors/openapi-restaurant.json")
    }
}

extension JSONNode {
    /// The JSON as people read it.
    fileprivate func indented(_ margin: String = "") -> String {
        let inner = margin + "  "
        switch self {
        case .array(let elements) where elements.contains { !$0.elements.isEmpty || !$0.members.isEmpty }:
            return "[\n" + elements.map { inner + $0.indented(inner) }.joined(separator: ",\n") + "\n\(margin)]"
        case .array(let elements):
            return "[" + elements.map { $0.indented() }.joined(separator: ", ") + "]"
        case .object(let members) where !members.isEmpty:
            let lines = members.map { "\(inner)\(JSONNode.string($0.name).indented()): \($0.value.indented(inner))" }
            return "{\n" + lines.joined(separator: ",\n") + "\n\(margin)}"
        default:
            return String(decoding: json, as: UTF8.self)
        }
    }
}
