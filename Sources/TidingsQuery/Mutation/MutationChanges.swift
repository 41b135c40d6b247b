import Synchronization

/// The optimistic changes of a mutation, and whether they may still be made.
final class MutationChanges: Sendable {
    private typealias Update = (confirm: @Sendable () -> Void, rollback: @Sendable () -> Void)

    private struct State {
        var updates: [Update] = []
        /// Whether the mutation was confirmed; nil before its end.
        var outcome: Bool?
        var attachment: (any AnyObject & Sendable)?

        mutating func takeUpdates() -> [Update] {
            defer { updates = [] }
            return updates
        }
    }

    private let state = Mutex(State())

    /// Whether the mutation is over and its changes were rolled back.
    var areRefused: Bool { state.withLock { $0.outcome == false } }

    /// What somebody else has to know of the changes until the mutation is over.
    var attachment: (any AnyObject & Sendable)? { state.withLock(\.attachment) }

    func attach(_ attachment: any AnyObject & Sendable) {
        state.withLock { $0.attachment = attachment }
    }

    func keep<Value>(_ update: OptimisticUpdate<Value>) {
        let outcome = state.withLock { state -> Bool? in
            if state.outcome == nil { state.updates.append((update.confirm, update.rollback)) }
            return state.outcome
        }
        if let outcome { outcome ? update.confirm() : update.rollback() }
    }

    /// The server has made the changes, or it has not. Those that are made after this wait for the end.
    func settle(isConfirmed: Bool, in client: QueryClient) {
        Self.settle(state.withLock { $0.takeUpdates() }, isConfirmed, in: client)
    }

    /// The mutation is over: what is changed from here on is settled at once.
    func close(isConfirmed: Bool, in client: QueryClient) {
        let updates = state.withLock { state in
            state.outcome = isConfirmed
            state.attachment = nil
            return state.takeUpdates()
        }
        Self.settle(updates, isConfirmed, in: client)
    }

    /// The mutation is tried once more.
    func reopen() {
        state.withLock { $0.outcome = nil }
    }

    private static func settle(_ updates: [Update], _ isConfirmed: Bool, in client: QueryClient) {
        guard !updates.isEmpty else { return }
        client.batch {
            if isConfirmed {
                for update in updates { update.confirm() }
            } else {
                // The last change goes first, as they were made on top of each other.
                for update in updates.reversed() { update.rollback() }
            }
        }
    }
}
