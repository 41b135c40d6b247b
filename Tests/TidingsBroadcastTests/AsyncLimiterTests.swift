import Synchronization
import Testing

@testable import TidingsBroadcast

@Suite("As many at the same time as may")
struct AsyncLimiterTests {
    private final class Gate: Sendable {
        private let state = Mutex<(entered: [Int], open: [Int: CheckedContinuation<Void, Never>])>(([], [:]))
        var entered: [Int] { state.withLock { $0.entered } }

        func pass(_ number: Int) async {
            await withCheckedContinuation { continuation in
                state.withLock { state in
                    state.entered.append(number)
                    state.open[number] = continuation
                }
            }
        }

        func open(_ number: Int) {
            state.withLock { $0.open.removeValue(forKey: number) }?.resume()
        }
    }

    @Test("the others wait in order, and one that is cancelled takes nobody's turn")
    func order() {
        let (limiter, gate, executor) = (AsyncLimiter(limit: 2), Gate(), ManualExecutor())
        let tasks = (0..<6).map { number in
            Task(executorPreference: executor) { try await limiter.run { await gate.pass(number) } }
        }
        executor.run()
        #expect(gate.entered == [0, 1])
        tasks[2].cancel()
        tasks[4].cancel()
        executor.run()
        #expect(gate.entered == [0, 1])
        gate.open(1)
        executor.run()
        #expect(gate.entered == [0, 1, 3])
        gate.open(0)
        gate.open(3)
        executor.run()
        #expect(gate.entered == [0, 1, 3, 5])
        gate.open(5)
        executor.run()
    }

    @Test("a task that was cancelled before does not wait, and a failure gives the turn back")
    func failures() async throws {
        struct Failure: Error {}
        let limiter = AsyncLimiter(limit: 1)
        await #expect(throws: Failure.self) { try await limiter.run { throw Failure() } }
        try await limiter.run {
            let late = Task { try await limiter.run { true } }
            late.cancel()
            await #expect(throws: CancellationError.self) { try await late.value }
        }
        #expect(try await limiter.run { true })
    }
}
