/// A change to be made at the server, and what goes with it.
///
/// ```swift
/// let rename = Mutation<Rename, Order>("orders.rename") { input, context in
///     try await api.rename(input, idempotencyKey: context.idempotencyKey)
/// }
/// .showing { input, context in
///     context.optimisticUpdate(.order(input.id)) { $0.name = input.name }
/// }
/// .onSettled { _, input, context in
///     context.client.invalidate(["orders"])
/// }
/// ```
///
/// The order is always: `showing`, `onMutate`, the function, then `onSuccess` or `onError`, then `onSettled`; each is awaited before
/// the next begins. An error of `onMutate` or `onSuccess` leads to `onError`. A function that is given to a mutation that
/// has one already is called after that one, and does not take its place: whoever adds to somebody else's mutation takes
/// nothing away from it.
///
/// With a name and an input that is `Codable` it can be stored before it is sent, and outlives the process: see
/// ``QueryClient/register(_:)``.
public struct Mutation<Input: Sendable, Output: Sendable>: Sendable {
    /// What a mutation is called in storage and in filters; nil for one that is neither stored nor looked for.
    public let name: String?
    /// How it behaves.
    public var options: MutationOptions
    let function: @Sendable (Input, MutationContext) async throws -> Output
    let codec: ValueCodec<Input>?
    private(set) var scope: @Sendable (Input) -> String?
    private(set) var showing: @Sendable (Input, MutationContext) -> Void = { _, _ in }
    private(set) var mutating: @Sendable (Input, MutationContext) async throws -> Void = { _, _ in }
    private(set) var succeeded: @Sendable (Output, Input, MutationContext) async throws -> Void = { _, _, _ in }
    private(set) var failed: @Sendable (any Error, Input, MutationContext) async throws -> Void = { _, _, _ in }
    private(set) var settled: @Sendable (Result<Output, any Error>, Input, MutationContext) async throws -> Void = {
        _,
        _,
        _ in
    }

    /// Defines a mutation.
    ///
    /// - Parameters:
    ///   - name: What it is called in storage and in filters.
    ///   - options: How it behaves.
    ///   - function: Makes the change at the server. Called once for each attempt.
    public init(
        _ name: String? = nil,
        options: MutationOptions = MutationOptions(),
        function: @escaping @Sendable (Input, MutationContext) async throws -> Output
    ) {
        self.name = name
        self.options = options
        self.function = function
        codec = ValueTraits<Input>.codec
        scope = { _ in nil }
    }

    /// Mutations of one scope are sent one after the other, in the order in which they were asked for.
    ///
    /// - Parameter scope: Names the scope of an input, such as the entity it is about; nil is none.
    public func scoped(_ scope: @escaping @Sendable (Input) -> String?) -> Mutation {
        var copy = self
        copy.scope = scope
        return copy
    }

    /// What is shown when the mutation is asked for, before ``QueryClient/start(_:_:)`` returns: the place for optimistic
    /// changes. They are made in the order in which mutations are asked for.
    ///
    /// - Parameter body: Called on the thread that asks, outside of any lock; when the mutation is tried once more, or comes
    ///   back from storage, on any.
    public func showing(_ body: @escaping @Sendable (Input, MutationContext) -> Void) -> Mutation {
        var copy = self
        copy.showing = { [showing] input, context in
            showing(input, context)
            body(input, context)
        }
        return copy
    }

    /// What happens first, also if the mutation cannot be sent yet: the place for what has to be waited for. An error ends the
    /// mutation.
    public func onMutate(_ body: @escaping @Sendable (Input, MutationContext) async throws -> Void) -> Mutation {
        var copy = self
        copy.mutating = { [mutating] input, context in
            try await mutating(input, context)
            try await body(input, context)
        }
        return copy
    }

    /// What happens when the server has made the change. Optimistic changes are confirmed already.
    public func onSuccess(
        _ body: @escaping @Sendable (Output, Input, MutationContext) async throws -> Void
    ) -> Mutation {
        var copy = self
        copy.succeeded = { [succeeded] output, input, context in
            try await succeeded(output, input, context)
            try await body(output, input, context)
        }
        return copy
    }

    /// What happens when it has not. Optimistic changes are rolled back already.
    public func onError(
        _ body: @escaping @Sendable (any Error, Input, MutationContext) async throws -> Void
    ) -> Mutation {
        var copy = self
        copy.failed = { [failed] error, input, context in
            try await failed(error, input, context)
            try await body(error, input, context)
        }
        return copy
    }

    /// What happens at the end in either case: the place to invalidate.
    public func onSettled(
        _ body: @escaping @Sendable (Result<Output, any Error>, Input, MutationContext) async throws -> Void
    ) -> Mutation {
        var copy = self
        copy.settled = { [settled] result, input, context in
            try await settled(result, input, context)
            try await body(result, input, context)
        }
        return copy
    }
}

/// How a mutation behaves.
public struct MutationOptions: Sendable {
    /// How failed attempts are repeated; the first error is final unless somebody says otherwise.
    public var retry = RetryPolicy.never
    /// What to do while the device is offline.
    public var networkMode = NetworkMode.online
    /// How long it can be looked at after it is over.
    public var gcTime = GCTime.standard

    /// Starts with the defaults.
    public init() {}

    /// Starts with the defaults and changes some.
    ///
    /// - Parameter configure: Changes them.
    public init(_ configure: (inout MutationOptions) -> Void) {
        configure(&self)
    }
}
