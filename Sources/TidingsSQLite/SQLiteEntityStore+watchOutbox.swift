import GRDB

extension SQLiteEntityStore {
    /// Looks at the file's version at intervals, over a connection of its own, until the task is cancelled.
    ///
    /// - Parameter changed: Called after any connection but this one committed, this store's included.
    public func watchOutbox(_ changed: @escaping @Sendable () -> Void) async {
        while !Task.isCancelled {
            try? await watch(changed)
            // The file cannot be used now; what comes of it is told by whoever reads and writes.
            try? await Task.sleep(for: .seconds(1))
            changed()
        }
    }

    private func watch(_ changed: @Sendable () -> Void) async throws {
        var setting = GRDB.Configuration()
        setting.label = "Tidings.watch"
        setting.readonly = true
        let connection = try DatabaseQueue(path: path, configuration: setting)
        var last: Int?
        while true {
            let version = try await connection.read { try Int.fetchOne($0, sql: "PRAGMA data_version") }
            if last != nil, version != last { changed() }
            last = version
            try await Task.sleep(for: configuration.watchInterval)
        }
    }
}
