import Synchronization

/// What a fetch is told, and what it can tell beside its value.
public struct FetchContext: Sendable {
    /// The key of the entry that is fetched.
    public let key: QueryKey
    private let notes = Notes()

    init(key: QueryKey) {
        self.key = key
    }

    /// Keeps something with the entry that is not part of its value, such as the position in the server's log that the
    /// answer stands for. It replaces what the fetch before it kept, when and only when this fetch succeeds. What comes
    /// with a further page of a list replaces nothing: the list is as old as its other pages.
    ///
    /// - Parameters:
    ///   - text: What to keep; nil for nothing.
    ///   - name: What it is.
    public func record(_ text: String?, as name: QueryMetadata.Name) {
        notes.metadata.withLock { $0[name] = text }
    }

    /// What this fetch has recorded so far under a name.
    public func recorded(_ name: QueryMetadata.Name) -> String? { metadata[name] }

    var metadata: QueryMetadata { notes.metadata.withLock { $0 } }

    private final class Notes: Sendable {
        let metadata = Mutex(QueryMetadata())
    }
}

/// What a fetch kept with its entry beside the value, or the function of a mutation for its next attempt.
public struct QueryMetadata: Hashable, Sendable, Codable {
    /// What something is. Whoever records it declares its name once.
    public struct Name: Hashable, Sendable, ExpressibleByStringLiteral {
        /// The name as it is persisted.
        public let rawValue: String

        /// Names something.
        public init(stringLiteral value: String) { rawValue = value }

        /// Names something.
        public init(_ rawValue: String) { self.rawValue = rawValue }
    }

    private var texts: [String: String] = [:]

    /// Makes metadata that says nothing.
    public init() {}

    /// What was recorded under a name.
    public subscript(name: Name) -> String? {
        get { texts[name.rawValue] }
        set { texts[name.rawValue] = newValue }
    }

    /// With what was recorded elsewhere under other names.
    func completed(by other: QueryMetadata) -> QueryMetadata {
        var result = self
        result.texts.merge(other.texts) { own, _ in own }
        return result
    }

    /// Whether nothing was recorded.
    public var isEmpty: Bool { texts.isEmpty }
}
