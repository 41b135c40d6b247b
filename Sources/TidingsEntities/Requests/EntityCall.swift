/// What stands around a request that changes something.
public struct EntityCall: Sendable {
    /// Who makes the change, and as part of what.
    public var context: ChangeContext
    /// The body: UTF-8 JSON.
    public var body: [UInt8]
    /// The entity tags of the header `If-Match` (RFC 9110 §13.1.1); nil if there is none. `*` matches everything.
    public var ifMatch: [String]?
    /// Makes a request that comes again get the first one's answer; nil: every request counts.
    public var idempotencyKey: String?
    /// What the idempotency key belongs to besides the subject: method and path.
    public var route: String

    /// Describes a request.
    ///
    /// - Parameters:
    ///   - context: Who makes the change, and as part of what.
    ///   - body: The body.
    ///   - ifMatch: The entity tags of the header `If-Match`.
    ///   - idempotencyKey: Makes a request that comes again get the first one's answer.
    ///   - route: Method and path.
    public init(
        context: ChangeContext = ChangeContext(),
        body: [UInt8] = [],
        ifMatch: [String]? = nil,
        idempotencyKey: String? = nil,
        route: String = ""
    ) {
        self.context = context
        self.body = body
        self.ifMatch = ifMatch
        self.idempotencyKey = idempotencyKey
        self.route = route
    }
}
