#if PostgreSQL
import Synchronization
import TidingsEntities

/// Threads with connections, and the line before them.
final class ConnectionPool: Sendable {
    private struct Threads {
        var idle: [ConnectionThread] = []
        var all: [ConnectionThread] = []
    }

    private let settings: ConnectionSettings
    private let line: WaitingLine
    private let threads = Mutex(Threads())

    init(_ settings: ConnectionSettings) {
        self.settings = settings
        let configuration = settings.configuration
        line = WaitingLine(
            places: max(1, configuration.connections),
            limit: configuration.waitLimit,
            bound: configuration.waitingTransactions
        )
    }

    deinit {
        for thread in threads.withLock({ $0.all }) { thread.end() }
    }

    /// Runs a transaction on a connection that is free.
    func run<Result: Sendable>(
        _ mode: PostgresTransaction.Mode,
        _ body: @escaping @Sendable (PostgresTransaction) throws -> Result
    ) async throws -> Result {
        try await line.enter()
        let (state, promise) = (TransactionState(), Promise<Result>())
        let thread = takeThread()
        return try await withTaskCancellationHandler {
            thread.perform { slot in
                let result = Swift.Result { try PostgresTransaction.run(mode, state, in: slot, body) }
                self.giveBack(thread)
                promise.fulfill(with: result)
            }
            return try await promise.value
        } onCancel: {
            // The thread is busy until it notices; who cancelled does not wait for that.
            if state.cancel() { promise.fulfill(with: .failure(CancellationError())) }
        }
    }

    /// Ends the connections after the transactions that run.
    func close() async {
        await line.close()
        let all = threads.withLock { threads in
            defer { threads = Threads() }
            return threads.all
        }
        for thread in all { thread.end() }
        for thread in all { await thread.hasEnded() }
    }

    /// A thread that has nothing to do: whoever has a place in the line finds one, or may start one. The one that worked
    /// last goes first, because its connection is known to live.
    private func takeThread() -> ConnectionThread {
        threads.withLock { threads in
            if let thread = threads.idle.popLast() { return thread }
            let thread = ConnectionThread(settings)
            threads.all.append(thread)
            return thread
        }
    }

    private func giveBack(_ thread: ConnectionThread) {
        threads.withLock { $0.idle.append(thread) }
        line.leave()
    }
}
#endif
