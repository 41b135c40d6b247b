import Dispatch
import Foundation
import Synchronization

/// Reads a file descriptor off the threads that tasks run on, when it is asked to: what nobody reads stays in the kernel.
final class InputReader: Sendable {
    private let descriptor: Int32
    private let queue = DispatchQueue(label: "bistro.input")

    init(_ descriptor: Int32) {
        self.descriptor = descriptor
    }

    /// The next bytes; nil at the end, and when the task is cancelled.
    func read() async -> [UInt8]? {
        guard let waker = Waker() else { return nil }
        return await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                queue.async { [descriptor] in continuation.resume(returning: waker.read(descriptor)) }
            }
        } onCancel: {
            waker.wake()
        }
    }
}

/// One wait for input that can be cut short.
private final class Waker: Sendable {
    private let ends: (read: Int32, write: Int32)

    /// - Returns: Nil if there are no file descriptors left.
    init?() {
        var ends: [Int32] = [-1, -1]
        guard pipe(&ends) == 0 else { return nil }
        self.ends = (ends[0], ends[1])
    }

    deinit {
        close(ends.read)
        close(ends.write)
    }

    func wake() {
        _ = Foundation.write(ends.write, [0], 1)
    }

    func read(_ descriptor: Int32) -> [UInt8]? {
        var waits = [descriptor, ends.read].map { pollfd(fd: $0, events: Int16(POLLIN), revents: 0) }
        while poll(&waits, nfds_t(waits.count), -1) < 0 {
            guard errno == EINTR else { return nil }
        }
        guard waits[1].revents == 0 else { return nil }
        var bytes = [UInt8](repeating: 0, count: 4_096)
        let count = Foundation.read(descriptor, &bytes, bytes.count)
        return count > 0 ? Array(bytes.prefix(count)) : nil
    }
}
