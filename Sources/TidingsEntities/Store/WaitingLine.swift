import Synchronization

/// Lets a limited number of tasks in at once. The others wait in line, each for a limited time.
///
/// Stores keep a line in front of their connections, so that whoever waits for one occupies no thread, can be cancelled,
/// and is told when it takes too long.
package final class WaitingLine: Sendable {
    private enum Waiter {
        /// It has its place in the line, but does not wait yet.
        case announced
        case waiting(CheckedContinuation<Void, any Error>)
        /// Decided before it began to wait.
        case settled(Result<Void, any Error>)
    }

    private struct State {
        var free: Int
        var waiters: [UInt64: Waiter] = [:]
        /// No ticket below this one waits undecided.
        var head: UInt64 = 1
        var lastTicket: UInt64 = 0
        var isClosed = false
        var closers: [CheckedContinuation<Void, Never>] = []
    }

    private let places: Int
    private let limit: Duration
    private let bound: Int
    private let state: Mutex<State>

    /// Makes a line that nobody stands in.
    ///
    /// - Parameters:
    ///   - places: How many may be in at once.
    ///   - limit: How long one waits at most.
    ///   - bound: How many wait at most; more are refused at once.
    package init(places: Int, limit: Duration, bound: Int) {
        self.places = places
        self.limit = limit
        self.bound = bound
        state = Mutex(State(free: places))
    }

    /// How many wait.
    package var waiting: Int {
        state.withLock { $0.waiters.count }
    }

    /// Waits for a place. Whoever got one gives it back with ``leave()``.
    ///
    /// - Throws: ``StoreError`` with the code ``StoreError/Code/timeout`` if none became free in time or too many wait
    ///   already, with ``StoreError/Code/closed`` after ``close()``; `CancellationError`.
    package func enter() async throws {
        try Task.checkCancellation()
        guard let ticket = try takePlaceOrTicket() else { return }
        async let _: Void = expire(ticket)
        try await wait(for: ticket)
    }

    /// Gives a place back, from any thread.
    package func leave() {
        let done = state.withLock { state -> [CheckedContinuation<Void, Never>] in
            while state.head <= state.lastTicket {
                let ticket = state.head
                state.head += 1
                switch state.waiters[ticket] {
                case .waiting(let continuation):
                    state.waiters[ticket] = nil
                    continuation.resume()
                    return []
                case .announced:
                    state.waiters[ticket] = .settled(.success(()))
                    return []
                case .settled, nil:
                    continue
                }
            }
            state.free += 1
            return takeClosers(&state)
        }
        for closer in done { closer.resume() }
    }

    /// Lets nobody in any more, and waits until all have left.
    package func close() async {
        await withCheckedContinuation { continuation in
            let done = state.withLock { state in
                state.isClosed = true
                for ticket in Array(state.waiters.keys) { settle(ticket, .failure(Self.closed), &state) }
                state.closers.append(continuation)
                return takeClosers(&state)
            }
            for closer in done { closer.resume() }
        }
    }

    // MARK: Parts

    private static let closed = StoreError(.closed, "The store was closed; it takes no more work.")

    /// A place, which has no ticket, or a ticket to wait with.
    private func takePlaceOrTicket() throws -> UInt64? {
        try state.withLock { state in
            guard !state.isClosed else { throw Self.closed }
            if state.free > 0 {
                state.free -= 1
                return nil
            }
            guard state.waiters.count < bound else {
                throw StoreError(
                    .timeout,
                    "\(bound) transactions wait for a connection already; send fewer at once or allow more connections."
                )
            }
            state.lastTicket += 1
            state.waiters[state.lastTicket] = .announced
            return state.lastTicket
        }
    }

    private func wait(for ticket: UInt64) async throws {
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Void, any Error>) in
                state.withLock { state in
                    if case .settled(let result) = state.waiters[ticket] {
                        state.waiters[ticket] = nil
                        continuation.resume(with: result)
                    } else {
                        state.waiters[ticket] = .waiting(continuation)
                    }
                }
            }
        } onCancel: {
            state.withLock { settle(ticket, .failure(CancellationError()), &$0) }
        }
    }

    private func expire(_ ticket: UInt64) async {
        guard (try? await Task.sleep(for: limit)) != nil else { return }
        let error = StoreError(
            .timeout,
            "No connection became free within \(limit); look for transactions that take long, or allow more connections."
        )
        state.withLock { settle(ticket, .failure(error), &$0) }
    }

    /// Decides about one that waits; does nothing if it is decided.
    private func settle(_ ticket: UInt64, _ result: Result<Void, any Error>, _ state: inout State) {
        switch state.waiters[ticket] {
        case .announced:
            state.waiters[ticket] = .settled(result)
        case .waiting(let continuation):
            state.waiters[ticket] = nil
            continuation.resume(with: result)
        case .settled, nil:
            break
        }
    }

    private func takeClosers(_ state: inout State) -> [CheckedContinuation<Void, Never>] {
        guard state.isClosed, state.free == places else { return [] }
        defer { state.closers = [] }
        return state.closers
    }
}
