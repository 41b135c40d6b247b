#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

/// A body with the version that it is based on as one more member.
public struct VersionedBody<Body: Encodable>: Encodable {
    private let body: Body
    private let version: Int64?
    private let name: String

    /// Adds a version to a body.
    ///
    /// - Parameters:
    ///   - body: What is encoded as an object.
    ///   - version: The version; nil to say nothing.
    ///   - name: The member's name.
    public init(_ body: Body, version: Int64?, as name: String = "version") {
        self.body = body
        self.version = version
        self.name = name
    }

    /// Writes the members of the body, and the version.
    ///
    /// - Throws: `EncodingError` if there is a version and the body is no object.
    public func encode(to encoder: any Encoder) throws {
        guard let version else { return try body.encode(to: encoder) }
        guard try JSONEncoder.api.encode(body).first == UInt8(ascii: "{") else {
            let context = EncodingError.Context(
                codingPath: encoder.codingPath,
                debugDescription: "Only an object can have a version beside its members."
            )
            throw EncodingError.invalidValue(version, context)
        }
        try body.encode(to: encoder)
        var container = encoder.container(keyedBy: MemberName.self)
        try container.encode(version, forKey: MemberName(stringValue: name))
    }
}
