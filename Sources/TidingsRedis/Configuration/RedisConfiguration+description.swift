// What ends up in a log has no password in it, whoever writes it there and however.
extension RedisConfiguration: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// Where Redis is, and nothing that is secret.
    public var description: String {
        "Redis at \(endpoints.map(\.description).joined(separator: ", ")), prefix \(prefix)"
    }

    /// The same as ``description``.
    public var debugDescription: String { description }

    /// Nothing of what is in it.
    public var customMirror: Mirror { Mirror(self, children: []) }
}
