#if PostgreSQL
import CLibpq
import Dispatch
import Synchronization

/// Cancels the statement that a connection runs, from any thread.
///
/// It sends at most one request at a time, on a queue of its own, because a request blocks: it is a connection of its own
/// to the server.
///
/// `@unchecked Sendable`: the pointer is constant, `PQcancel` only reads what it points to (its manual allows every thread
/// to call it), and it is freed when nobody refers to this object any more. The rest is behind a lock.
final class CancelHandle: @unchecked Sendable {
    private let pointer: OpaquePointer
    private let isSending = Mutex(false)
    private let queue = DispatchQueue(label: "Tidings.PostgreSQL.cancel")
    private let sent = DispatchSemaphore(value: 0)

    /// Keeps what is needed to cancel; nil if there is no connection.
    init?(_ connection: OpaquePointer) {
        guard let pointer = PQgetCancel(connection) else { return nil }
        self.pointer = pointer
    }

    deinit {
        PQfreeCancel(pointer)
    }

    /// Asks the server to cancel the statement, without waiting for it.
    func request() {
        let isFirst = isSending.withLock { isSending in
            defer { isSending = true }
            return !isSending
        }
        guard isFirst else { return }
        queue.async { [self] in
            withUnsafeTemporaryAllocation(of: CChar.self, capacity: 256) { reason in
                _ = PQcancel(pointer, reason.baseAddress, Int32(reason.count))
            }
            isSending.withLock { $0 = false }
            sent.signal()
        }
    }

    /// Waits until a request has reached the server, so that it cannot hit the connection's next statement.
    ///
    /// - Returns: Whether it has; if not, the connection must not be used again.
    func isSettled(withinSeconds seconds: Int) -> Bool {
        let deadline = DispatchTime.now() + .seconds(seconds)
        while isSending.withLock({ $0 }) {
            // A signal may be that of an earlier request, which nobody waited for.
            guard sent.wait(timeout: deadline) == .success else { return !isSending.withLock { $0 } }
        }
        return true
    }
}
#endif
