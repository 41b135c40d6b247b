public import Hummingbird
public import TidingsBroadcast
public import TidingsEntities

/// How the routes of entities are served.
public struct EntityEndpoints: Sendable {
    /// Says who the bearer of a token is; nil: requests bring none, and everybody is nobody. The same as that of the hub's
    /// configuration, so that who changes something may hear of it.
    public var authenticator: (any Authenticator)?
    /// Whether a request without a token is refused with 401, where there is an authenticator. Otherwise
    /// `Entity.scope(of:)` and `Entity.authorize(_:to:_:)` are asked about nobody.
    public var requiresToken = true
    /// The cookie that may have a client's token; nil: none may.
    public var tokenCookie: String?
    /// Bytes that the body of a request has at most.
    public var bodyBytes = 64 * 1024

    /// Where the OpenAPI description of the routes is; nil: not served. Everybody may read it.
    public var openAPIPath: RouterPath? = "/openapi.json"
    /// What the description says the API is.
    public var openAPIInfo = OpenAPIDocument.Info(title: "Entities", version: "1")

    /// Starts with routes for everybody.
    public init() {}
}
