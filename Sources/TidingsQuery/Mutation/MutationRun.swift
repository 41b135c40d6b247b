import Synchronization

/// What is the same for all attempts of a mutation, also after a restart.
struct MutationIdentity: Sendable {
    let identifier: MutationIdentifier
    let idempotencyKey: String
}

/// A mutation that was asked for: what its task needs. The client keeps it, so it does not keep the client.
final class MutationRun<Input: Sendable, Output: Sendable>: AnyMutationRun, MutationOutcome {
    let mutation: Mutation<Input, Output>
    let input: Input
    let identity: MutationIdentity
    let changes = MutationChanges()
    /// Rung when it may be time to send.
    let gate = Doorbell()
    private let onChange: @Sendable () -> Void
    private let state = Mutex(State())

    private struct State {
        var task: Task<Void, Never>?
        /// Given up, possibly before its task has begun.
        var isDiscarded = false
        var ticket = FetchTicket<Output>()
    }

    init(
        _ mutation: Mutation<Input, Output>,
        input: Input,
        identity: MutationIdentity,
        onChange: @escaping @Sendable () -> Void
    ) {
        self.mutation = mutation
        self.input = input
        self.identity = identity
        self.onChange = onChange
    }

    var identifier: MutationIdentifier { identity.identifier }
    var gcTime: GCTime { mutation.options.gcTime }

    func start(by client: QueryClient) {
        guard !state.withLock(\.isDiscarded) else { return }
        mutation.showing(input, MutationContext(identity, changes, client: client))
        let task = client.spawn { await client.perform(self) }
        let isDiscarded = state.withLock { state in
            state.task = task
            return state.isDiscarded
        }
        if isDiscarded { task.cancel() }
    }

    var ticket: FetchTicket<Output> { state.withLock(\.ticket) }

    func renew() {
        state.withLock { $0.ticket = FetchTicket() }
        changes.reopen()
    }

    func ring() { gate.ring() }
    func changed() { onChange() }

    func stored(_ item: MutationTable.Item) -> (@Sendable () throws -> PersistedMutation)? {
        guard let name = mutation.name, let codec = mutation.codec else { return nil }
        let input = input
        return {
            PersistedMutation(
                identifier: item.identifier,
                name: name,
                input: try codec.encode(input),
                idempotencyKey: item.idempotencyKey,
                submittedAt: item.submittedAt.date,
                order: item.order,
                metadata: item.metadata,
                failure: item.machine.finalFailure.map { String(describing: $0) }
            )
        }
    }

    func discard(by client: QueryClient) {
        let task = state.withLock { state in
            state.isDiscarded = true
            return state.task
        }
        task?.cancel()
        changes.close(isConfirmed: false, in: client)
        let error = QueryError(.discarded, "The mutation was discarded before the server confirmed it.")
        ticket.resolve(.failure(error))
    }
}

/// What comes of a mutation, whatever it was asked for with.
protocol MutationOutcome<Output>: AnyObject, Sendable {
    associatedtype Output: Sendable

    var identifier: MutationIdentifier { get }
    /// Changes when it is tried once more.
    var ticket: FetchTicket<Output> { get }
}

/// A mutation that was asked for, whatever its types.
protocol AnyMutationRun: AnyObject, Sendable {
    var gcTime: GCTime { get }
    func start(by client: QueryClient)
    /// It is tried once more: what came of it so far is not the end.
    func renew()
    func ring()
    func changed()
    func discard(by client: QueryClient)
    /// What encodes it, for storage; nil if it has no name or cannot be encoded.
    func stored(_ item: MutationTable.Item) -> (@Sendable () throws -> PersistedMutation)?
}
