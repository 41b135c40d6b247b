import TidingsWire

/// Up to where the client of an event stream knows each log that its channels have: what it is told as the identifier of
/// its messages. A value.
///
/// A client has one position for all channels of a log, so what it is sent has to be in the order of positions, and a
/// position is told only with the last event that has it.
struct EventStreamCursor {
    private struct Log {
        let identifier: ObjectIdentifier
        /// Up to where the client knows every channel of the log.
        var since: EventPosition?
        /// Up to where nothing is missing when the client has been sent what it missed.
        var head: EventPosition
        /// What the client is told.
        var position: EventPosition
    }

    private var logs: [Log] = []

    /// Whether what is told is the position of the event itself, and so the same for every client.
    var isSingle: Bool { logs.count <= 1 }
    /// What the client is told.
    var lastEventID: LastEventID { LastEventID(logs.map(\.position)) }

    /// Adds a channel.
    ///
    /// - Parameters:
    ///   - log: Where its events come from.
    ///   - since: Up to where the client knows it; nil if that is of no use.
    ///   - head: Where the log stands.
    mutating func add(channelOf log: ObjectIdentifier, since: EventPosition?, head: EventPosition) {
        guard let place = place(of: log) else {
            return logs.append(Log(identifier: log, since: since, head: head, position: since ?? head))
        }
        logs[place].head = max(logs[place].head, head)
        logs[place].since = since.map { min($0, logs[place].since ?? $0) } ?? logs[place].since
        logs[place].position = logs[place].since ?? logs[place].head
    }

    /// The client was sent everything that it missed.
    mutating func reachHeads() {
        for place in logs.indices { logs[place].position = max(logs[place].position, logs[place].head) }
    }

    /// The client is sent an event, after all that come before it.
    ///
    /// - Returns: Whether its position is new to the client.
    mutating func advance(to position: EventPosition, of log: ObjectIdentifier) -> Bool {
        guard let place = isSingle ? logs.indices.first : place(of: log), isNew(position, at: place) else {
            return false
        }
        logs[place].position = position
        return true
    }

    /// Whether a position is new to a client whose channels have one log.
    func isNew(_ position: EventPosition) -> Bool {
        guard logs.count == 1 else { return false }
        return isNew(position, at: 0)
    }

    private func isNew(_ position: EventPosition, at place: Int) -> Bool {
        let known = logs[place].position
        return known.epoch != position.epoch || known.offset < position.offset
    }

    private func place(of log: ObjectIdentifier) -> Int? {
        logs.firstIndex { $0.identifier == log }
    }

    // One that is replaced begins anew in the order of its own positions.
    private func max(_ left: EventPosition, _ right: EventPosition) -> EventPosition {
        left.epoch == right.epoch && left.offset > right.offset ? left : right
    }

    private func min(_ left: EventPosition, _ right: EventPosition) -> EventPosition {
        left.epoch == right.epoch && left.offset > right.offset ? right : left
    }
}

extension [PublishedEvent] {
    /// The events of each log in the order of their positions; those of one position stay as they are.
    var inOrderOfPositions: [PublishedEvent] {
        guard count > 1 else { return self }
        var epochs: [String: Int] = [:]
        for event in self where epochs[event.position.epoch] == nil { epochs[event.position.epoch] = epochs.count }
        return enumerated().sorted { left, right in
            let (first, second) = (left.element.position, right.element.position)
            return (epochs[first.epoch] ?? 0, first.offset, UInt64(left.offset))
                < (epochs[second.epoch] ?? 0, second.offset, UInt64(right.offset))
        }.map(\.element)
    }

    /// Whether the event at a place is the last one of its position.
    func closesPosition(at place: Int) -> Bool {
        place + 1 == count || self[place + 1].position != self[place].position
    }
}
