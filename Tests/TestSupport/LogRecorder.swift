public import Logging
import Synchronization

/// Keeps what is logged.
public final class LogRecorder: Sendable {
    /// One message.
    public struct Line: Sendable {
        /// How urgent it is.
        public let level: Logger.Level
        /// Its text.
        public let message: String
        /// The logger's metadata and its own.
        public let metadata: Logger.Metadata
    }

    private let recorded = Mutex<[Line]>([])

    /// A recorder that has nothing yet.
    public init() {}

    /// What was logged, in order.
    public var lines: [Line] { recorded.withLock { $0 } }

    /// What was logged as a warning or as worse, with the metadata.
    public var warnings: [String] { lines.filter { $0.level >= .warning }.map { "\($0.message) \($0.metadata)" } }

    /// Whatever it logs is kept, debug messages and more urgent ones.
    public var logger: Logger {
        Logger(label: "test") { _ in Handler(recorder: self) }
    }

    private struct Handler: LogHandler {
        let recorder: LogRecorder
        var metadata: Logger.Metadata = [:]
        var logLevel = Logger.Level.debug

        subscript(metadataKey key: String) -> Logger.Metadata.Value? {
            get { metadata[key] }
            set { metadata[key] = newValue }
        }

        func log(event: LogEvent) {
            let line = Line(
                level: event.level,
                message: "\(event.message)",
                metadata: metadata.merging(event.metadata ?? [:]) { $1 }
            )
            recorder.recorded.withLock { $0.append(line) }
        }
    }
}
