import Synchronization

@testable import TidingsQuery

/// A server whose answers a test gives when it wants to.
final class FakeServer<Value: Sendable>: Sendable {
    /// A request that came.
    final class Call: Sendable {
        private struct State {
            var continuation: CheckedContinuation<Value, any Error>?
            var answer: Result<Value, any Error>?
            var isCancelled = false
        }

        private let state = Mutex(State())

        var isCancelled: Bool { state.withLock(\.isCancelled) }
        var isAnswered: Bool { state.withLock { $0.answer != nil } }

        func succeed(_ value: Value) { answer(.success(value)) }
        func fail(_ error: any Error = TestError()) { answer(.failure(error)) }

        private func answer(_ result: Result<Value, any Error>) {
            let continuation = state.withLock { state -> CheckedContinuation<Value, any Error>? in
                guard state.answer == nil else { return nil }
                state.answer = result
                defer { state.continuation = nil }
                return state.continuation
            }
            continuation?.resume(with: result)
        }

        /// Ignores cancellation, as many transports do, but remembers it.
        fileprivate func value() async throws -> Value {
            try await withTaskCancellationHandler {
                try await withCheckedThrowingContinuation { continuation in
                    let answer = state.withLock { state in
                        if state.answer == nil { state.continuation = continuation }
                        return state.answer
                    }
                    if let answer { continuation.resume(with: answer) }
                }
            } onCancel: {
                state.withLock { $0.isCancelled = true }
            }
        }
    }

    private let made = Mutex<[Call]>([])

    /// All requests, the first one first.
    var calls: [Call] { made.withLock { $0 } }
    var count: Int { made.withLock(\.count) }
    var last: Call? { made.withLock(\.last) }

    func request() async throws -> Value {
        let call = Call()
        made.withLock { $0.append(call) }
        return try await call.value()
    }

    /// Answers everything that waits.
    func succeedAll(_ value: Value) {
        for call in calls { call.succeed(value) }
    }

    func failAll(_ error: any Error = TestError()) {
        for call in calls { call.fail(error) }
    }

    func query(_ key: QueryKey, _ configure: (inout QueryOptions) -> Void = { _ in }) -> Query<Value> {
        Query(key: key, options: QueryOptions(configure)) { [self] _ in try await request() }
    }
}

struct TestError: Error, Equatable {
    var name = "failure"
}

struct PermanentError: RetryClassified {
    var retryDisposition: RetryDisposition { .permanent }
}

struct BusyError: RetryClassified {
    var after: Duration
    var retryDisposition: RetryDisposition { .transient(after: after) }
}
