/// A body with the version that it is based on as one more member.
public struct VersionedBody<Body: Encodable>: Encodable {
    private struct Name: CodingKey {
        let stringValue: String
        var intValue: Int? { nil }

        init(stringValue: String) { self.stringValue = stringValue }
        init?(intValue: Int) { nil }
    }

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
    public func encode(to encoder: any Encoder) throws {
        try body.encode(to: encoder)
        var container = encoder.container(keyedBy: Name.self)
        try container.encodeIfPresent(version, forKey: Name(stringValue: name))
    }
}
