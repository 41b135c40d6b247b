import FoundationEssentials
import Synchronization
import TidingsBroadcast
import TidingsWire

/// Where those who committed a change learn the position of its event, in databases that give positions later: from the
/// relay, which comes by it anyway.
final class PositionBoard: Sendable {
    private struct State {
        /// The events that somebody waits for, by how many, and their positions once they are known.
        var expected: [UUID: (waiting: Int, position: EventPosition?)] = [:]
        var relays = 0
    }

    private let state = Mutex(State())
    private let condition = AsyncCondition()

    /// Whether a relay comes by, so that waiting makes sense.
    var isServed: Bool { state.withLock { $0.relays > 0 } }

    func relayBegan() { state.withLock { $0.relays += 1 } }

    func relayEnded() { state.withLock { $0.relays -= 1 } }

    /// Somebody will wait for an event. Who has said so looks into the table once: the relay may have come by before.
    func expect(_ event: UUID) {
        state.withLock { $0.expected[event, default: (0, nil)].waiting += 1 }
    }

    /// Nobody waits any more.
    func forget(_ event: UUID) {
        state.withLock { state in
            guard let (waiting, _) = state.expected[event] else { return }
            if waiting > 1 { state.expected[event]?.waiting -= 1 } else { state.expected[event] = nil }
        }
    }

    /// The relay came by events.
    func saw(_ events: [(id: UUID, position: EventPosition)]) {
        let isAwaited = state.withLock { state in
            var isAwaited = false
            for event in events where state.expected[event.id] != nil {
                state.expected[event.id]?.position = event.position
                isAwaited = true
            }
            return isAwaited
        }
        if isAwaited { condition.changed() }
    }

    /// The position of an event, when it is known or the time is over.
    func position(of event: UUID, within time: Duration) async -> EventPosition? {
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await self.condition.wait { self.known(event) != nil } }
            group.addTask { try? await Task.sleep(for: time) }
            await group.next()
            group.cancelAll()
        }
        return known(event)
    }

    private func known(_ event: UUID) -> EventPosition? {
        state.withLock { $0.expected[event]?.position }
    }
}
