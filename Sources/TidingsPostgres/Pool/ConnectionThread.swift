#if PostgreSQL
import Dispatch
import Foundation
import Synchronization

/// A thread with a connection. libpq and the bodies of transactions block it.
final class ConnectionThread: Sendable {
    typealias Work = @Sendable (ConnectionSlot) -> Void

    private enum Order {
        case work(Work)
        case end
    }

    private let orders = Mutex<[Order]>([])
    private let arrived = DispatchSemaphore(value: 0)
    private let ended = DispatchGroup()

    /// Starts the thread. It connects when it has work.
    init(_ settings: ConnectionSettings) {
        ended.enter()
        let thread = Thread { [orders = Orders(self), ended] in
            let slot = ConnectionSlot(settings)
            while let work = orders.next() { work(slot) }
            slot.disconnect()
            ended.leave()
        }
        thread.name = "PostgreSQL"
        thread.start()
    }

    /// Gives the thread work to do after the work that it has.
    func perform(_ work: @escaping Work) {
        give(.work(work))
    }

    /// Ends the thread and its connection after the work that it has.
    func end() {
        give(.end)
    }

    /// Waits for the end.
    func hasEnded() async {
        await withCheckedContinuation { continuation in
            ended.notify(queue: .global()) { continuation.resume() }
        }
    }

    private func give(_ order: Order) {
        orders.withLock { $0.append(order) }
        arrived.signal()
    }

    private struct Orders: Sendable {
        let thread: ConnectionThread

        init(_ thread: ConnectionThread) {
            self.thread = thread
        }

        /// Waits for work; nil at the end.
        func next() -> Work? {
            thread.arrived.wait()
            let order = thread.orders.withLock { $0.isEmpty ? .end : $0.removeFirst() }
            if case .work(let work) = order { return work }
            return nil
        }
    }
}
#endif
