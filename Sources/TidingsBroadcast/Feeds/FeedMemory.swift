import TidingsWire

/// What the listeners of a feed were told last, and whether another value is to be told. A value: whoever holds it says
/// what the hub has as the channel's newest event.
///
/// That event is the truth: another node may have told it. Its own memory counts only for what this node has just handed
/// over and the hub has not heard back yet, and while it cannot be found out what is newest.
struct FeedMemory<Value: Codable & Sendable> {
    /// The newest event of a feed's channel.
    enum Newest: Equatable {
        case event(position: EventPosition, payload: EventPayload)
        /// Nothing was told, or it is kept nowhere any more: who subscribes next would be told nothing.
        case nothing
        /// It cannot be found out now.
        case unknown

        var position: EventPosition? {
            guard case .event(let position, _) = self else { return nil }
            return position
        }
    }

    /// What is known when a poll begins: if it is not so any more when the poll ends, an event has overtaken it.
    struct Mark: Equatable {
        fileprivate let sends: UInt64
        fileprivate let newest: EventPosition?
    }

    enum Verdict: Equatable {
        case tell
        /// It was told already.
        case unchanged
        /// It differs too little from what was told.
        case insignificant
        /// Something newer was told while the value was being looked for.
        case overtaken
    }

    private struct Told {
        let value: Value
        let payload: EventPayload
        /// What was the channel's newest event before.
        let before: EventPosition?
    }

    private let isSignificant: FeedForm<Value>.Significance?
    private let decode: @Sendable (EventPayload) -> Value?
    private var last: Told?
    private var sends: UInt64 = 0

    init(
        isSignificant: FeedForm<Value>.Significance?,
        decode: @escaping @Sendable (EventPayload) -> Value?
    ) {
        self.isSignificant = isSignificant
        self.decode = decode
    }

    func mark(newest: Newest) -> Mark {
        Mark(sends: sends, newest: newest.position)
    }

    /// Somebody is going to tell a value that is newer than what a poll finds that has begun.
    mutating func sendBegan() {
        sends += 1
    }

    /// A value was handed over.
    ///
    /// - Parameter newest: The channel's newest event before that.
    mutating func told(_ value: Value, _ payload: EventPayload, newest: Newest) {
        last = Told(value: value, payload: payload, before: newest.position)
    }

    /// Whether what a poll found is to be told.
    func verdict(on value: Value, _ payload: EventPayload, since mark: Mark, newest: Newest) -> Verdict {
        guard self.mark(newest: newest) == mark else { return .overtaken }
        guard let known = known(newest) else { return .tell }
        guard known != payload else { return .unchanged }
        return verdict(on: value, known: known)
    }

    /// Whether what somebody sends is to be told: every event is, unless the feed says which ones matter.
    func verdict(onSent value: Value, newest: Newest) -> Verdict {
        guard let known = known(newest) else { return .tell }
        return verdict(on: value, known: known)
    }

    private func verdict(on value: Value, known: EventPayload) -> Verdict {
        guard let isSignificant else { return .tell }
        // What another version of the program told may not be readable: it is told anew.
        guard let old = last?.payload == known ? last?.value : decode(known) else { return .tell }
        return isSignificant(old, value) ? .tell : .insignificant
    }

    private func known(_ newest: Newest) -> EventPayload? {
        switch newest {
        case .event(let position, _) where last?.before == position: last?.payload
        case .event(_, let payload): payload
        case .nothing: nil
        case .unknown: last?.payload
        }
    }
}
