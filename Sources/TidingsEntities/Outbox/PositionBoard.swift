import FoundationEssentials
import Synchronization
import TidingsBroadcast
import TidingsWire

/// Where those who committed a change learn the position of its event, in databases that give positions later: from the
/// relay, which comes by it anyway.
final class PositionBoard: Sendable {
    private struct State {
        /// The events that somebody waits for, and their positions once they are known.
        var expected: [UUID: EventPosition?] = [:]
        var relays = 0
    }

    private let state = Mutex(State())
    private let condition = AsyncCondition()

    /// Whether a relay comes by, so that waiting makes sense.
    var isServed: Bool { state.withLock { $0.relays > 0 } }

    func relayBegan() { state.withLock { $0.relays += 1 } }

    func relayEnded() { state.withLock { $0.relays -= 1 } }

    /// Somebody will wait for an event. Said before the event is committed, so that it cannot be missed.
    func expect(_ event: UUID) {
        state.withLock { $0.expected[event] = .some(nil) }
    }

    /// Nobody waits any more.
    func forget(_ event: UUID) {
        state.withLock { _ = $0.expected.removeValue(forKey: event) }
    }

    /// The relay came by events.
    func saw(_ events: [(id: UUID, position: EventPosition)]) {
        let isAwaited = state.withLock { state in
            var isAwaited = false
            for event in events where state.expected[event.id] != nil {
                state.expected[event.id] = .some(event.position)
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
        state.withLock { $0.expected[event] ?? nil }
    }
}
