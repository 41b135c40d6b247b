import Synchronization
import TidingsBroadcast
import TidingsWire

/// A table of events, as a database has it, that answers when and how a test says.
final class TableLog: EventLog {
    /// What becomes of a read.
    enum Mode: Sendable {
        case answers
        case fails
        /// It waits for ``release(_:)``.
        case waits
    }

    /// When a read that waited sees the table.
    enum Moment: Sendable {
        case asked
        case released
    }

    /// A failure whose description has a secret in it.
    struct Failure: Error, CustomStringConvertible {
        var description: String { "failed at SELECT … 'secret'" }
    }

    private struct State {
        var epoch: String
        var entries: [LogEntry] = []
        /// The newest position that has been deleted.
        var purged: UInt64 = 0
        var head: UInt64 = 0
        var mode = Mode.answers
        var moment = Moment.released
        var waiting: [CheckedContinuation<Void, any Error>] = []
        var reads = 0
        var readsNow = 0
        var mostReads = 0
    }

    private let state: Mutex<State>

    init(epoch: String = "db1") {
        state = Mutex(State(epoch: epoch))
    }

    // MARK: Writing

    var position: EventPosition { state.withLock { EventPosition(epoch: $0.epoch, offset: $0.head) } }
    /// How many reads were begun.
    var reads: Int { state.withLock { $0.reads } }
    /// How many reads were made at the same time at the most.
    var mostReads: Int { state.withLock { $0.mostReads } }
    var waiting: Int { state.withLock { $0.waiting.count } }

    /// Commits an event.
    ///
    /// - Parameter gap: How many positions are left out before it.
    @discardableResult
    func commit(
        _ event: BroadcastEvent,
        alsoOn channels: [ChannelName] = [],
        leavingOut gap: UInt64 = 0
    ) -> EventPosition {
        state.withLock { state in
            state.head += 1 + gap
            let position = EventPosition(epoch: state.epoch, offset: state.head)
            state.entries.append(LogEntry(event, alsoOn: channels, at: position))
            return position
        }
    }

    func commit(_ count: Int, on channel: ChannelName = "order") {
        for _ in 0..<count { commit(BroadcastEvent(channel: channel, name: .updated)) }
    }

    /// Puts an empty table in the place of this one.
    func replace(epoch: String) {
        state.withLock { state in
            state.epoch = epoch
            state.entries = []
            state.purged = 0
            state.head = 0
        }
    }

    /// Deletes what is old.
    func purge(through offset: UInt64) {
        state.withLock { state in
            state.purged = max(state.purged, min(offset, state.head))
            state.entries.removeAll { [purged = state.purged] in $0.position.offset <= purged }
        }
    }

    /// What comes after a position, oldest first.
    func entries(after offset: UInt64, upTo end: UInt64 = .max) -> [LogEntry] {
        state.withLock { state in
            state.entries.filter { $0.position.offset > offset && $0.position.offset <= end }
        }
    }

    /// The positions on a channel.
    func offsets(on channel: ChannelName) -> [UInt64] {
        state.withLock { state in
            state.entries.filter { $0.channels.contains(channel) }.map(\.position.offset)
        }
    }

    // MARK: Reading

    func answer(_ mode: Mode, seeing moment: Moment = .released) {
        state.withLock { state in
            state.mode = mode
            state.moment = moment
        }
    }

    /// Lets reads go on that wait.
    ///
    /// - Parameters:
    ///   - count: How many, the oldest first; nil: all.
    ///   - fails: Whether they fail.
    func release(_ count: Int? = nil, failing fails: Bool = false) {
        let released = state.withLock { state in
            let released = state.waiting.prefix(count ?? .max)
            state.waiting.removeFirst(released.count)
            return released
        }
        for continuation in released {
            if fails { continuation.resume(throwing: Failure()) } else { continuation.resume() }
        }
    }

    func head() async throws -> EventPosition {
        try await read { EventPosition(epoch: $0.epoch, offset: $0.head) }
    }

    func events(
        on channel: ChannelName,
        after position: EventPosition,
        atMost limit: Int
    ) async throws -> EventReplay {
        try await read { state in
            guard position.epoch == state.epoch else { return .notRecoverable(.epoch) }
            guard (state.purged...state.head).contains(position.offset) else { return .notRecoverable(.gap) }
            let entries = state.entries.filter {
                $0.position.offset > position.offset && $0.channels.contains(channel)
            }
            guard entries.count <= limit else { return .notRecoverable(.gap) }
            let events = entries.map { entry in
                var event = entry.event.told(on: channel)
                event.position = entry.position
                return event
            }
            return .events(events, through: EventPosition(epoch: state.epoch, offset: state.head))
        }
    }

    private func read<Answer: Sendable>(_ look: @Sendable (State) -> Answer) async throws -> Answer {
        let (mode, early) = state.withLock { state in
            state.reads += 1
            state.readsNow += 1
            state.mostReads = max(state.mostReads, state.readsNow)
            return (state.mode, state.moment == .asked ? look(state) : nil)
        }
        defer { state.withLock { $0.readsNow -= 1 } }
        switch mode {
        case .answers: break
        case .fails: throw Failure()
        case .waits:
            try await withCheckedThrowingContinuation { continuation in
                state.withLock { $0.waiting.append(continuation) }
            }
        }
        return early ?? state.withLock { look($0) }
    }
}

extension LogEntry {
    var channels: [ChannelName] { [event.channel] + furtherChannels }
}
