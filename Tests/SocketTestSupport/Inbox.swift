import Synchronization
public import TestSupport

/// Holds what arrived until a test asks for it. Waiting ends with a failure, never with a hanging test.
public final class Inbox<Element: Sendable>: Sendable {
    private let continuation: AsyncStream<Element>.Continuation
    private let iterator: Mutex<AsyncStream<Element>>

    /// Makes an empty inbox.
    public init() {
        let (stream, continuation) = AsyncStream.makeStream(of: Element.self)
        self.continuation = continuation
        iterator = Mutex(stream)
    }

    /// Adds an element.
    public func put(_ element: Element) {
        continuation.yield(element)
    }

    /// Nothing follows.
    public func end() {
        continuation.finish()
    }

    /// The next element, for whoever waits for one of several that come; nil after the end. Fails at a moment.
    public func next(by deadline: ContinuousClock.Instant) async throws -> Element? {
        try await next(within: deadline - .now)
    }

    /// The next element; nil after the end. One reader at a time.
    public func next(within timeout: Duration = .patience) async throws -> Element? {
        let stream = iterator.withLock { $0 }
        return try await withThrowingTaskGroup(of: Element?.self) { group in
            group.addTask {
                for await element in stream { return element }
                return nil
            }
            group.addTask {
                try await Task.sleep(for: timeout)
                throw TestFailure("nothing arrived within \(timeout)")
            }
            defer { group.cancelAll() }
            return try await group.next() ?? nil
        }
    }
}

/// Waits until a condition holds, looking at it again after each short pause; fails after a while.
///
/// For what another process or thread does and nobody announces.
public func eventually(
    _ what: String,
    within timeout: Duration = .patience,
    _ condition: () async throws -> Bool
) async throws {
    let deadline = ContinuousClock.now + timeout
    while try await !condition() {
        guard ContinuousClock.now < deadline else { throw TestFailure("waited \(timeout) for: \(what)") }
        try await Task.sleep(for: .milliseconds(5))
    }
}
