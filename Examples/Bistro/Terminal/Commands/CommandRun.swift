import TidingsSync
import UnixSignals

/// How a command that goes on has ended.
enum CommandEnd: Sendable {
    case done
    case interrupted
}

/// Runs a client and what is done with it, until that is over or somebody ends the program.
enum CommandRun {
    /// - Parameters:
    ///   - onResize: Called when the terminal has another size, or something else may have written on it.
    ///   - body: What is done. It has to leave the terminal as it was when its task is cancelled.
    static func run(
        _ sync: SyncClient,
        onResize: @escaping @Sendable () async -> Void,
        body: @escaping @Sendable () async throws -> Void
    ) async throws -> CommandEnd {
        // From here on nothing ends the program before the terminal is as it was.
        let signals = await UnixSignalsSequence(trapping: .sigint, .sigterm, .sighup, .sigquit, .sigwinch, .sigcont)
        return try await withThrowingTaskGroup(of: CommandEnd?.self) { group in
            group.addTask {
                await sync.run()
                return nil
            }
            group.addTask {
                for await signal in signals {
                    guard signal == .sigwinch || signal == .sigcont else { return .interrupted }
                    await onResize()
                }
                return nil
            }
            group.addTask {
                try await body()
                return .done
            }
            while let end = try await group.next() {
                guard let end else { continue }
                group.cancelAll()
                return end
            }
            return .interrupted
        }
    }
}
