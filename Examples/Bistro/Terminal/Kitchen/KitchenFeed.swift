import BistroAPI
import TidingsSync

/// The kitchen for programs: a line for each change.
struct KitchenFeed: Sendable {
    let query: Query<OrderList>
    let sync: SyncClient
    let terminal: any Terminal

    /// Writes until the task is cancelled.
    func run() async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await tellOrders() }
            group.addTask { await tellConnection() }
            try await group.next()
            group.cancelAll()
        }
    }

    private func tellOrders() async throws {
        var news = KitchenNews()
        var trouble: String?
        for await snapshot in sync.queries.snapshots(of: query) {
            for line in news.lines(for: snapshot.data?.items ?? []) { try terminal.write(line + "\n") }
            let now = snapshot.error.map { "Not up to date: \(Failure.sentence($0))" }
            if let now, now != trouble { terminal.writeError(now) }
            trouble = now
        }
    }

    private func tellConnection() async {
        // That nobody has asked for a connection yet is no news.
        var told: String? = ConnectionText.indicator(.disconnected).text
        for await state in sync.broadcast.stateChanges {
            let text = ConnectionText.indicator(state).text
            if text != told { terminal.writeError(text) }
            told = text
        }
    }
}
