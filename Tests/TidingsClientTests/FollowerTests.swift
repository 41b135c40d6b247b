import Dispatch
import Foundation
import Logging
import TestSupport
import Testing

@testable import TidingsClient

/// Whoever cancels a task holds a lock of it while its stream ends. Whoever tells a state wakes tasks, for which it wants
/// that lock. If the end of a stream waited for the telling, neither would go on.
@Suite("Those who follow the state", .timeLimit(.patience))
struct FollowerTests {
    /// Threads beside those that the test's own tasks run on: these go on when those are stuck.
    private final class Threads: TaskExecutor {
        private let queue = DispatchQueue(label: "followers", attributes: .concurrent)

        func enqueue(_ job: consuming ExecutorJob) {
            let job = UnownedJob(job)
            queue.async { job.runSynchronously(on: self.asUnownedTaskExecutor()) }
        }
    }

    private let threads = Threads()
    private let client: BroadcastClient

    init() {
        var configuration = BroadcastClient.Configuration()
        configuration.logger = Logger(label: "followers") { _ in SwiftLogNoOpLogHandler() }
        // It is always connecting, or not wanted.
        client = BroadcastClient(configuration: configuration) { _, _, _ in }
    }

    @Test("may be cancelled while they are told, and nobody waits for them")
    func cancelledWhileTold() async throws {
        for _ in 0..<100 {
            let followers = await follow(100)
            for _ in 0..<20 {
                client.connect()
                client.disconnect()
            }
            Thread.detachNewThread { for follower in followers { follower.cancel() } }
            try await end(of: followers)
        }
        // And it can still be told.
        client.connect()
        #expect(await client.stateChanges.first { $0 == .connecting } == .connecting)
    }

    /// Begins to follow, and waits until everybody has heard something.
    private func follow(_ count: Int) async -> [Task<Void, Never>] {
        var (followers, waits): ([Task<Void, Never>], [AsyncStream<Void>]) = ([], [])
        for _ in 0..<count {
            let (wait, heard) = AsyncStream.makeStream(of: Void.self)
            waits.append(wait)
            followers.append(
                Task(executorPreference: threads) { [client] in
                    for await _ in client.stateChanges { heard.finish() }
                }
            )
        }
        for wait in waits { for await _ in wait {} }
        return followers
    }

    /// Waits until all have ended, or for as long as a test may take.
    private func end(of followers: [Task<Void, Never>]) async throws {
        let (wait, ended) = AsyncStream.makeStream(of: Void.self)
        Task {
            for follower in followers { await follower.value }
            ended.finish()
        }
        for await _ in wait {}
        try Task.checkCancellation()
    }
}
