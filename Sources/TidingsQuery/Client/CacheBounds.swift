/// How much a client keeps of what nobody observes. What was not used for the longest time goes first; entries that are
/// observed, being fetched or optimistically changed stay in any case.
public struct CacheBounds: Hashable, Sendable {
    /// The most unobserved entries; nil is any number.
    public var entries: Int?
    /// The most bytes in unobserved entries, as far as ``Query/cost`` tells; nil is any number.
    public var bytes: Int?

    /// Makes bounds.
    ///
    /// - Parameters:
    ///   - entries: The most unobserved entries; nil is any number.
    ///   - bytes: The most bytes in them, as far as ``Query/cost`` tells; nil is any number.
    public init(entries: Int? = 10_000, bytes: Int? = nil) {
        self.entries = entries
        self.bytes = bytes
    }

    func areExceeded(count: Int, cost: Int) -> Bool {
        if let entries, count > entries { return true }
        if let bytes, cost > bytes { return true }
        return false
    }
}
