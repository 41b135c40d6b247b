import Synchronization

/// A fetch under way: what its task needs, and what its entry needs to end it.
final class FetchRun<Value: Sendable>: Sendable {
    let key: QueryKey
    let identifier: UInt64
    let context: FetchContext
    let retry: RetryPolicy
    let networkMode: NetworkMode
    let attempt: @Sendable () async throws -> Value
    /// Who waits for this fetch.
    let tickets: [FetchTicket<Value>]
    private let state: Mutex<State>

    private struct State {
        var task: Task<Void, Never>?
        var isCancelled = false
        var failures = 0
        var followUps: [FetchTicket<Value>]
    }

    init(
        key: QueryKey,
        identifier: UInt64,
        context: FetchContext,
        retry: RetryPolicy,
        networkMode: NetworkMode,
        tickets: [FetchTicket<Value>],
        followUps: [FetchTicket<Value>] = [],
        attempt: @escaping @Sendable () async throws -> Value
    ) {
        self.key = key
        self.identifier = identifier
        self.context = context
        self.retry = retry
        self.networkMode = networkMode
        self.tickets = tickets
        self.attempt = attempt
        state = Mutex(State(followUps: followUps))
    }

    /// How many attempts have failed.
    var failures: Int { state.withLock { $0.failures } }

    func countFailure() {
        state.withLock { $0.failures += 1 }
    }

    /// Who waits for the fetch that follows, if one was asked for.
    var followUps: [FetchTicket<Value>] { state.withLock { $0.followUps } }

    func makeFollowUp() -> FetchTicket<Value> {
        state.withLock { state in
            if let ticket = state.followUps.first { return ticket }
            let ticket = FetchTicket<Value>()
            state.followUps = [ticket]
            return ticket
        }
    }

    /// Begins its task, unless somebody cancelled it before it came to that.
    func begin(_ spawn: () -> Task<Void, Never>) {
        guard !state.withLock(\.isCancelled) else { return }
        let task = spawn()
        let isCancelled = state.withLock { state in
            state.task = task
            return state.isCancelled
        }
        if isCancelled { task.cancel() }
    }

    /// Cancels the attempt that runs, or the wait for the next one.
    func cancelTask() {
        let task = state.withLock { state in
            state.isCancelled = true
            return state.task
        }
        task?.cancel()
    }
}
