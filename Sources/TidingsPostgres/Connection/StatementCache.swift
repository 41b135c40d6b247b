#if PostgreSQL
/// Which statements a connection has prepared. One is prepared when it is used for the second time, and the one that was
/// not used for the longest time gives way.
struct StatementCache {
    /// How a statement is to be run.
    enum Use {
        /// As it is, once.
        case plain
        /// After it was prepared under a name, in the place of another one.
        case prepare(String, instead: String?)
        /// Under its name.
        case prepared(String)
    }

    private struct Entry {
        var name: String?
        var lastUse: UInt64
    }

    private let limit: Int
    private var entries: [String: Entry] = [:]
    private var uses: UInt64 = 0

    init(limit: Int) {
        self.limit = limit
    }

    /// Says how to run a statement.
    ///
    /// - Parameter key: The statement and the types of its parameters.
    mutating func use(_ key: String) -> Use {
        guard limit > 0 else { return .plain }
        uses += 1
        guard let entry = entries[key] else {
            let replaced = makeRoom()
            entries[key] = Entry(name: nil, lastUse: uses)
            // Its turn to be prepared comes with the next use; what gave way is closed then, with the name it frees.
            if let replaced { freed.append(replaced) }
            return .plain
        }
        entries[key]?.lastUse = uses
        return entry.name.map(Use.prepared) ?? .prepare("tidings_\(uses)", instead: freed.popLast())
    }

    /// A statement has been prepared.
    mutating func didPrepare(_ key: String, as name: String) {
        entries[key]?.name = name
    }

    /// Forgets all of them; the server is told apart.
    mutating func removeAll() {
        entries = [:]
        freed = []
    }

    private var freed: [String] = []

    /// Lets the entry go that was not used for the longest time; gives its name if it was prepared.
    private mutating func makeRoom() -> String? {
        guard entries.count >= limit, let oldest = entries.min(by: { $0.value.lastUse < $1.value.lastUse }) else {
            return nil
        }
        entries[oldest.key] = nil
        return oldest.value.name
    }
}
#endif
