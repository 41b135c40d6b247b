import Foundation
import Synchronization

/// Ends a server and removes its folder when this process has ended, even if it was killed: a shell waits for the end of a
/// pipe whose other end this process has.
public final class Guardian: Sendable {
    private static let script = """
        trap '' INT HUP TERM
        cat >/dev/null
        pid=$(head -n 1 "$1/$2" 2>/dev/null) && kill -"$3" "$pid" 2>/dev/null
        tries=0
        while [ -n "$pid" ] && kill -0 "$pid" 2>/dev/null && [ "$tries" -lt 100 ]; do
            sleep 0.1
            tries=$((tries + 1))
        done
        rm -rf "$1"
        """

    private let pipe: Mutex<Pipe>

    /// Begins to watch.
    ///
    /// - Parameters:
    ///   - folder: Where the server has its files.
    ///   - identifierFile: Where in the folder the first line is the number of the server's process.
    ///   - signal: What ends the server at once, such as `KILL`.
    public init(of folder: String, identifierFile: String, signal: String) throws {
        let pipe = Pipe()
        // The servers that are started must not have this end too.
        _ = fcntl(pipe.fileHandleForWriting.fileDescriptor, F_SETFD, FD_CLOEXEC)
        _ = try Programs.start(
            ["/bin/sh", "-c", Self.script, "guardian", folder, identifierFile, signal],
            input: pipe.fileHandleForReading.fileDescriptor
        )
        try pipe.fileHandleForReading.close()
        self.pipe = Mutex(pipe)
    }

    deinit {
        pipe.withLock { try? $0.fileHandleForWriting.close() }
    }
}
