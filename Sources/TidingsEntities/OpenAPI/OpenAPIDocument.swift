/// What the description of an application's entities says that their declarations do not.
///
/// ```swift
/// let json = entities.openAPI(
///     OpenAPIDocument.Info(title: "Restaurant", version: "1.4.0"),
///     servers: [OpenAPIDocument.Server("https://restaurant.example/api")],
///     security: .bearer
/// )
/// ```
public enum OpenAPIDocument {
    /// What the API is (OpenAPI 3.1, "Info Object").
    public struct Info: Hashable, Sendable {
        /// The API's name.
        public var title: String
        /// The version of the API, not of an entity: whatever the application counts.
        public var version: String
        /// What the API is for, in a sentence.
        public var summary: String?
        /// What else there is to say, as CommonMark.
        public var description: String?

        /// Describes an API.
        ///
        /// - Parameters:
        ///   - title: The API's name.
        ///   - version: The version of the API.
        ///   - summary: What the API is for, in a sentence.
        ///   - description: What else there is to say, as CommonMark.
        public init(title: String, version: String, summary: String? = nil, description: String? = nil) {
            self.title = title
            self.version = version
            self.summary = summary
            self.description = description
        }
    }

    /// Where the API is (OpenAPI 3.1, "Server Object").
    public struct Server: Hashable, Sendable {
        /// What stands before every path, such as `https://restaurant.example/api` or `/api`.
        public var url: String
        /// Which one it is.
        public var description: String?

        /// Names a server.
        ///
        /// - Parameters:
        ///   - url: What stands before every path. Where routes are mounted below a path, it ends with that path.
        ///   - description: Which one it is.
        public init(_ url: String, description: String? = nil) {
            self.url = url
            self.description = description
        }
    }

    /// How callers say who they are. Later versions may add ways.
    public struct Security: Hashable, Sendable {
        enum Kind: Hashable, Sendable {
            case none
            case bearer(isRequired: Bool)
        }

        let kind: Kind

        /// They do not.
        public static let none = Security(kind: .none)
        /// With a JWT in the header `Authorization` (RFC 6750 §2.1), always.
        public static let bearer = Security(kind: .bearer(isRequired: true))
        /// With a JWT in the header `Authorization`, or as nobody in particular.
        public static let optionalBearer = Security(kind: .bearer(isRequired: false))
    }
}
