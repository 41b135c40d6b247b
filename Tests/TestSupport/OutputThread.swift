import Foundation

/// A thread that reads what a program writes: the events of a file handle may come while the handle goes away.
public enum OutputThread {
    /// Reads to the end, and closes.
    ///
    /// - Parameters:
    ///   - descriptor: What is read from. It is the thread's from now on.
    ///   - body: Called with what has come, and with nil at the end, before the descriptor can be another one's.
    public static func read(_ descriptor: Int32, _ body: @escaping @Sendable (ArraySlice<UInt8>?) -> Void) {
        Thread.detachNewThread {
            var bytes = [UInt8](repeating: 0, count: 4_096)
            while true {
                let count = Foundation.read(descriptor, &bytes, bytes.count)
                if count < 0, errno == EINTR { continue }
                // When nobody has the other end of a terminal any more, that is an error.
                guard count > 0 else { break }
                body(bytes[..<count])
            }
            body(nil)
            close(descriptor)
        }
    }
}
