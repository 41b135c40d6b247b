import NIOCore
import TidingsWire

/// A message of a client that others decide on, and what the client asked for after it.
final class Consultation {
    private let task: Task<Void, Never>
    /// What happens if it takes too long.
    private let timeout: Scheduled<Void>?
    private let maximumBytes: Int
    private(set) var held: [WebSocketMessage] = []
    private var bytes = 0

    init(task: Task<Void, Never>, timeout: Scheduled<Void>? = nil, maximumBytes: Int) {
        self.task = task
        self.timeout = timeout
        self.maximumBytes = maximumBytes
    }

    /// Nobody waits any more.
    func end() {
        task.cancel()
        timeout?.cancel()
    }

    /// Whether nothing more should be read. What one read brings is held all the same.
    var isFull: Bool { bytes >= maximumBytes || held.count >= 128 }

    /// Keeps a message for later; false for those that have no order among requests: control frames.
    func hold(_ message: WebSocketMessage) -> Bool {
        switch message {
        case .text(let payload), .binary(let payload), .compressed(let payload, _):
            held.append(message)
            bytes += payload.count
            return true
        case .ping, .pong, .close:
            return false
        }
    }
}
