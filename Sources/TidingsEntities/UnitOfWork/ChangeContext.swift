public import TidingsBroadcast

/// Who makes a change, and as part of what: it is written to the audit and told with the events.
public struct ChangeContext: Sendable {
    /// Who makes it; nil if nobody said. The audit's user.
    public var identity: Identity?
    /// The sender's own name for the change, which comes back as `origin` in its events: so the sender knows its echo.
    public var origin: String?
    /// The request that it is part of, for the audit.
    public var requestID: String?
    /// The trace that it is part of, in the form of whoever traces.
    public var traceID: String?

    /// Describes a change.
    ///
    /// - Parameters:
    ///   - identity: Who makes it.
    ///   - origin: The sender's own name for it.
    ///   - requestID: The request that it is part of.
    ///   - traceID: The trace that it is part of.
    public init(
        identity: Identity? = nil,
        origin: String? = nil,
        requestID: String? = nil,
        traceID: String? = nil
    ) {
        self.identity = identity
        self.origin = origin
        self.requestID = requestID
        self.traceID = traceID
    }
}
