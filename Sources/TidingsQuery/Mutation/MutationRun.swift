import Synchronization

/// A mutation that was asked for: what its task needs.
final class MutationRun<Input: Sendable, Output: Sendable>: AnyMutationRun {
    let mutation: Mutation<Input, Output>
    let input: Input
    let context: MutationContext
    let ticket = FetchTicket<Output>()
    /// Rung when it may be time to send.
    let gate = Doorbell()
    private let onChange: @Sendable () -> Void
    private let task = Mutex<Task<Void, Never>?>(nil)

    init(
        _ mutation: Mutation<Input, Output>,
        input: Input,
        context: MutationContext,
        onChange: @escaping @Sendable () -> Void
    ) {
        self.mutation = mutation
        self.input = input
        self.context = context
        self.onChange = onChange
    }

    var identifier: MutationIdentifier { context.identifier }
    var retention: Retention { mutation.options.gcTime }

    func start(by client: QueryClient) {
        let task = client.spawn { await client.perform(self) }
        self.task.withLock { $0 = task }
    }

    func ring() { gate.ring() }
    func changed() { onChange() }

    func stored(_ item: MutationTable.Item) -> (@Sendable () -> PersistedMutation?)? {
        guard let name = mutation.name, let codec = mutation.codec else { return nil }
        let (identifier, key, date, input) = (item.identifier, item.idempotencyKey, item.submittedAt.date, input)
        return {
            guard let bytes = try? codec.encode(input) else { return nil }
            return PersistedMutation(
                identifier: identifier,
                name: name,
                input: bytes,
                idempotencyKey: key,
                submittedAt: date
            )
        }
    }

    func discard() {
        task.withLock { $0 }?.cancel()
        context.close(isConfirmed: false)
        let error = QueryError(.discarded, "The mutation was discarded before the server confirmed it.")
        ticket.resolve(.failure(error))
    }
}

/// A mutation that was asked for, whatever its types.
protocol AnyMutationRun: AnyObject, Sendable {
    var retention: Retention { get }
    func start(by client: QueryClient)
    func ring()
    func changed()
    func discard()
    /// What encodes it, for storage; nil if it has no name or cannot be encoded.
    func stored(_ item: MutationTable.Item) -> (@Sendable () -> PersistedMutation?)?
}
