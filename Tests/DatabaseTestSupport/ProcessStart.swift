public import Foundation
import Synchronization

/// Starts programs one at a time: Foundation's `Process` has been seen to read beyond its memory where several were
/// started in one moment.
public enum ProcessStart {
    private static let turn = Mutex(())

    /// Starts a program with an environment of its own.
    ///
    /// - Parameter process: What to start. Without an environment it gets this process's.
    public static func run(_ process: Process) throws {
        try turn.withLock { _ in
            if process.environment == nil { process.environment = ProcessInfo.processInfo.environment }
            try process.run()
        }
    }
}
