import Foundation
import Logging

/// Writes what a person at a terminal wants to know, one line each, to standard error.
struct StandardErrorLogHandler: LogHandler {
    let program: String
    var logLevel = Logger.Level.info
    var metadata: Logger.Metadata = [:]

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        let details = (event.metadata ?? [:]).values.map { ": \($0)" }.joined()
        FileHandle.standardError.write(Data("\(program): \(event.message)\(details)\n".utf8))
    }
}
