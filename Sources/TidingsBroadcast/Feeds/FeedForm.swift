public import TidingsWire

/// Where a feed's values come from and when they are told: one of four forms.
///
/// | form | for |
/// |---|---|
/// | ``polling(every:evenBelowOneSecond:_:)`` | what has no events: status, statistics, configuration |
/// | ``events(of:)`` | what somebody changes: told by ``Feed/send(_:)`` |
/// | ``hybrid(every:evenBelowOneSecond:_:)`` | what must not be wrong for long: events, and a poll that finds what they missed |
/// | ``conditional(every:evenBelowOneSecond:onlyWithListeners:isSignificant:_:)`` | what is costly to poll, or changes all the time |
///
/// ```swift
/// let status = try feeds.declare("system_status", .polling(every: .seconds(15)) { try await monitor.status() })
/// ```
public struct FeedForm<Value: Codable & Sendable>: Sendable {
    /// Finds the value of this moment.
    public typealias Poll = @Sendable () async throws -> Value
    /// Whether a value differs enough from the one that was told last to be told.
    public typealias Significance = @Sendable (_ old: Value, _ new: Value) -> Bool

    let poll: Poll?
    /// Nil: the registry's.
    let interval: Duration?
    let allowsShortInterval: Bool
    let isHybrid: Bool
    let onlyWithListeners: Bool
    let isSignificant: Significance?
    private(set) var frame = FeedFrame.data

    private init(
        poll: Poll? = nil,
        interval: Duration? = nil,
        allowsShortInterval: Bool = false,
        isHybrid: Bool = false,
        onlyWithListeners: Bool = false,
        isSignificant: Significance? = nil
    ) {
        self.poll = poll
        self.interval = interval
        self.allowsShortInterval = allowsShortInterval
        self.isHybrid = isHybrid
        self.onlyWithListeners = onlyWithListeners
        self.isSignificant = isSignificant
    }

    /// The same, with a frame of another shape on `GET /ws/feeds`.
    public func frame(_ frame: FeedFrame) -> FeedForm {
        var form = self
        form.frame = frame
        return form
    }
}

// MARK: - The four forms

extension FeedForm {
    /// Asks for the value at intervals, and tells it when it is another one than was told last.
    ///
    /// - Parameters:
    ///   - interval: The time from one poll's end to the next one's beginning; nil: the registry's.
    ///   - evenBelowOneSecond: Says again that an interval of less than a second is meant.
    ///   - poll: Finds the value. One call at a time; cancelled on shutdown.
    public static func polling(
        every interval: Duration? = nil,
        evenBelowOneSecond: Bool = false,
        _ poll: @escaping Poll
    ) -> FeedForm {
        FeedForm(poll: poll, interval: interval, allowsShortInterval: evenBelowOneSecond)
    }

    /// Tells what ``Feed/send(_:)`` is given, and nothing else.
    ///
    /// - Parameter type: What the values are.
    public static func events(of type: Value.Type = Value.self) -> FeedForm {
        FeedForm()
    }

    /// Tells what ``Feed/send(_:)`` is given, and asks for the value at intervals in case that an event was missed. A poll
    /// that finds what an event has told already tells nothing, and neither does one that an event overtakes.
    ///
    /// - Parameters:
    ///   - interval: The time from one poll's end to the next one's beginning; nil: the registry's for this form.
    ///   - evenBelowOneSecond: Says again that an interval of less than a second is meant.
    ///   - poll: Finds the value. One call at a time; cancelled on shutdown.
    public static func hybrid(
        every interval: Duration? = nil,
        evenBelowOneSecond: Bool = false,
        _ poll: @escaping Poll
    ) -> FeedForm {
        FeedForm(poll: poll, interval: interval, allowsShortInterval: evenBelowOneSecond, isHybrid: true)
    }

    /// Asks for the value only while somebody listens, and tells it only when it differs enough from what was told last.
    ///
    /// - Parameters:
    ///   - interval: The time from one poll's end to the next one's beginning; nil: the registry's.
    ///   - evenBelowOneSecond: Says again that an interval of less than a second is meant.
    ///   - onlyWithListeners: Whether nothing is asked while no client of this node is subscribed. The first one that comes
    ///     makes the feed ask at once, unless the interval since the last time is not over.
    ///   - isSignificant: Decides about a value that is another one than was told last; also about what ``Feed/send(_:)``
    ///     is given. It is compared with what was told, so small steps add up. Nil: every other value is told.
    ///   - poll: Finds the value. One call at a time; cancelled on shutdown.
    public static func conditional(
        every interval: Duration? = nil,
        evenBelowOneSecond: Bool = false,
        onlyWithListeners: Bool = true,
        isSignificant: Significance? = nil,
        _ poll: @escaping Poll
    ) -> FeedForm {
        FeedForm(
            poll: poll,
            interval: interval,
            allowsShortInterval: evenBelowOneSecond,
            onlyWithListeners: onlyWithListeners,
            isSignificant: isSignificant
        )
    }
}
