public import Observation
import Synchronization

/// Makes the same kind of change again and again, and shows how the latest one goes: a model for SwiftUI and everything
/// else that uses `Observation`.
public final class MutationObserver<Input: Sendable, Output: Sendable>: Observable, Sendable {
    private struct State {
        var handle: MutationHandle<Output>?
        var input: Input?
        var last: MutationInfo?
    }

    private let mutation: Mutation<Input, Output>
    private let client: QueryClient
    private let registrar = ObservationRegistrar()
    private let state = Mutex(State())

    /// Makes an observer that has asked for nothing yet.
    ///
    /// - Parameters:
    ///   - mutation: What to do.
    ///   - client: Who does it.
    public init(_ mutation: Mutation<Input, Output>, in client: QueryClient) {
        self.mutation = mutation
        self.client = client
    }

    /// Where the latest change is.
    public var status: MutationStatus { info?.status ?? .idle }

    /// What the latest change came to; nil if it is not confirmed.
    public var output: Output? {
        guard case .success(let output) = result else { return nil }
        return output
    }

    /// What the latest change failed with; nil if it has not.
    public var error: (any Error)? {
        guard case .failure(let error) = result else { return nil }
        return error
    }

    private var result: Result<Output, any Error>? {
        registrar.access(self, keyPath: \.info)
        return state.withLock(\.handle)?.result
    }

    /// With what the latest change was asked for.
    public var input: Input? {
        registrar.access(self, keyPath: \.info)
        return state.withLock(\.input)
    }

    /// Everything else about the latest change; nil if there is none.
    public var info: MutationInfo? {
        registrar.access(self, keyPath: \.info)
        let identifier = state.withLock { $0.handle?.identifier }
        let info = identifier.flatMap { client.mutation($0) }
        return state.withLock { state in
            // One that the client has forgotten stays as it was.
            if let info, state.handle?.identifier == identifier { state.last = info }
            return state.last
        }
    }

    /// Makes the change, and waits until it is confirmed.
    ///
    /// - Parameter input: With what.
    /// - Throws: As ``QueryClient/mutate(_:_:)``.
    @discardableResult
    public func mutate(_ input: Input) async throws -> Output {
        try await start(input).value()
    }

    /// Begins to make the change.
    ///
    /// - Parameter input: With what.
    @discardableResult
    public func start(_ input: Input) -> MutationHandle<Output> {
        let handle = client.start(mutation, input) { [weak self] in self?.notify() }
        state.withLock { $0 = State(handle: handle, input: input) }
        notify()
        return handle
    }

    /// Tries the latest change once more if it has failed: ``QueryClient/retry(_:)``.
    public func retry() {
        if let identifier = state.withLock({ $0.handle?.identifier }) { client.retry(identifier) }
    }

    /// Forgets the latest change. It goes on all the same.
    public func reset() {
        state.withLock { $0 = State() }
        notify()
    }

    private func notify() {
        registrar.withMutation(of: self, keyPath: \.info) {}
    }
}
