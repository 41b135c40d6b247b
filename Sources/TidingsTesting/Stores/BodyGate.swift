import Dispatch
import Synchronization

/// Stops the body of a transaction at a place until the test lets it go on.
final class BodyGate: Sendable {
    private let arrivals: AsyncStream<Void>
    private let arrive: AsyncStream<Void>.Continuation
    private let permits = DispatchSemaphore(value: 0)

    init() {
        (arrivals, arrive) = AsyncStream.makeStream()
    }

    /// Says that a body is here, without stopping it.
    func announce() {
        arrive.yield()
    }

    /// Stops a body until ``open()``. Blocks its thread, as bodies may.
    func pass() throws {
        announce()
        guard permits.wait(timeout: .now() + 30) == .success else {
            throw ConformanceFailure("a body was not let on within 30 seconds")
        }
    }

    /// Waits until a body is here; each arrival counts once.
    func arrival() async throws {
        for await _ in arrivals { return }
        throw CancellationError()
    }

    /// Lets one body go on, now or when it comes.
    func open() {
        permits.signal()
    }
}

/// Something that becomes so, once.
final class Flag: Sendable {
    private let state = Mutex(false)

    var isRaised: Bool { state.withLock { $0 } }

    func raise() {
        state.withLock { $0 = true }
    }
}
