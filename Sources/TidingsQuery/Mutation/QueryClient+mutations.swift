extension QueryClient {
    /// Makes a change at the server, and waits until it is confirmed.
    ///
    /// - Parameters:
    ///   - mutation: What to do.
    ///   - input: With what.
    /// - Throws: What it failed with; `CancellationError` when the calling task is cancelled, which does not cancel the
    ///   mutation.
    @discardableResult
    public func mutate<Input, Output>(_ mutation: Mutation<Input, Output>, _ input: Input) async throws -> Output {
        try await start(mutation, input).value()
    }

    /// Begins to make a change at the server.
    ///
    /// - Parameters:
    ///   - mutation: What to do.
    ///   - input: With what.
    /// - Returns: To wait for it, or to discard it.
    @discardableResult
    public func start<Input, Output>(
        _ mutation: Mutation<Input, Output>,
        _ input: Input
    ) -> MutationHandle<Output> {
        start(mutation, input) {}
    }

    func start<Input, Output>(
        _ mutation: Mutation<Input, Output>,
        _ input: Input,
        onChange: @escaping @Sendable () -> Void
    ) -> MutationHandle<Output> {
        let identifier = MutationIdentifier(bits: randomBits())
        let key = MutationIdentifier(bits: randomBits()).description + identifier.description
        let identity = MutationIdentity(identifier: identifier, idempotencyKey: key)
        let run = MutationRun(mutation, input: input, identity: identity, onChange: onChange)
        let scope = mutation.scope(input)
        withCache { cache in
            cache.mutations.insert(
                MutationTable.Item(
                    identifier: identifier,
                    name: mutation.name,
                    scope: scope,
                    submittedAt: cache.now,
                    order: cache.mutations.nextOrder(at: cache.now),
                    idempotencyKey: key,
                    isStored: cache.isPersisting && mutation.name != nil && mutation.codec != nil,
                    run: run
                )
            )
            cache.changeMutation(identifier) { _ in }
        }
        run.start(by: self)
        return MutationHandle(client: self, run: run)
    }

    /// The mutations that are under way, have failed, or were confirmed a short while ago, in the order in which they were
    /// asked for.
    ///
    /// - Parameter name: Only those of this name; nil is all.
    public func mutations(named name: String? = nil) -> [MutationInfo] {
        withCache { cache in
            cache.mutations.items.filter { name == nil || $0.name == name }.map(\.info)
        }
    }

    /// How many mutations are under way.
    ///
    /// - Parameter name: Only those of this name; nil is all.
    public func isMutating(named name: String? = nil) -> Int {
        mutations(named: name).count { $0.status.isPending }
    }

    /// Tries a mutation once more that has failed for good, with the same idempotency key. In its scope it goes to the end.
    /// Whoever has its handle, or observes it, sees what comes of it.
    ///
    /// - Parameter identifier: Which one.
    public func retry(_ identifier: MutationIdentifier) {
        let run = withCache { cache -> (any AnyMutationRun)? in
            if let index = cache.mutations.index(of: identifier) {
                cache.effects.release(cache.mutations.items[index].machine)
            }
            guard let item = cache.mutations.restart(identifier, at: cache.now) else { return nil }
            item.run?.renew()
            cache.changeMutation(identifier) { _ in }
            return item.run
        }
        run?.start(by: self)
    }

    /// Gives a mutation up: its optimistic changes are rolled back, whoever awaits it gets an error, and it goes from
    /// storage with the next ``flush()``. What was sent already may have reached the server.
    ///
    /// - Parameter identifier: Which one.
    public func discard(_ identifier: MutationIdentifier) {
        let run = withCache { cache -> (any AnyMutationRun)? in
            guard let item = cache.removeMutation(identifier, by: self) else { return nil }
            if item.isStored { cache.markDiscarded(identifier) }
            return item.run
        }
        run?.discard(by: self)
    }

    /// A mutation that is under way, has failed, or was confirmed a short while ago; nil if the client does not know it, or
    /// no longer.
    ///
    /// - Parameter identifier: Which one.
    public func mutation(_ identifier: MutationIdentifier) -> MutationInfo? {
        withCache { cache in
            cache.mutations.index(of: identifier).map { cache.mutations.items[$0].info }
        }
    }
}

/// A mutation that was asked for.
public struct MutationHandle<Output: Sendable>: Sendable {
    private let client: QueryClient
    private let run: any MutationOutcome<Output>

    init(client: QueryClient, run: any MutationOutcome<Output>) {
        self.client = client
        self.run = run
    }

    /// Which one it is.
    public var identifier: MutationIdentifier { run.identifier }

    /// Waits until it is over, the next time if it is tried once more.
    ///
    /// - Throws: What it failed with; `CancellationError` when the calling task is cancelled, which ends only the wait.
    @discardableResult
    public func value() async throws -> Output { try await run.ticket.value() }

    /// How it ended; nil while it is under way.
    public var result: Result<Output, any Error>? { run.ticket.result }

    /// Gives it up: ``QueryClient/discard(_:)``.
    public func discard() { client.discard(identifier) }
}
