import NIOCore
import Synchronization

/// The time that a test says it is, for what comes back with time.
final class Moment: Sendable {
    private let time = Mutex(NIODeadline.uptimeNanoseconds(1_000_000_000_000))

    var now: NIODeadline { time.withLock { $0 } }

    func pass(_ amount: TimeAmount) { time.withLock { $0 = $0 + amount } }
}
