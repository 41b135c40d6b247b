import HTTPTypes

extension HTTPField.Name {
    /// A name that literals below are sure to be.
    private static func literal(_ name: String) -> HTTPField.Name {
        guard let name = HTTPField.Name(name) else { preconditionFailure("\(name) is no header's name.") }
        return name
    }

    /// Names a change, so that its echo is known.
    static let mutationID = literal("X-Mutation-ID")
    /// The same for all attempts of a change: a server that knows it makes the change once.
    static let idempotencyKey = literal("Idempotency-Key")
    /// Up to where the server's log is in an answer.
    static let tidingsPosition = literal("Tidings-Position")
}
