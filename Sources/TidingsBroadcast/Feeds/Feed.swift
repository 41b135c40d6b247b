public import TidingsWire

/// A value that many clients show, and of which only the newest counts: what ``FeedRegistry/declare(_:_:)`` returns.
///
/// Clients hear it on the channel ``FeedName/channel`` in every dialect, and on `GET /ws/feeds`. Whoever subscribes gets
/// the last value at once.
public struct Feed<Value: Codable & Sendable>: Sendable {
    let runner: FeedRunner<Value>

    /// The feed's name.
    public var name: FeedName { runner.name }

    /// Tells a value, at once and also if it is the same as before, unless the feed's form says which values matter.
    ///
    /// Values of one caller who awaits each call are told in their order. A poll that began before is overtaken: what it
    /// finds is not told.
    ///
    /// - Parameter value: The newest value.
    /// - Throws: ``FeedError/Code/badValue`` if it cannot be told; what ``BroadcastBackend/broadcast(_:)`` throws;
    ///   `CancellationError` if the task was cancelled before it was the value's turn.
    public func send(_ value: Value) async throws {
        try await runner.send(value)
    }

    /// How the feed fares.
    public var status: FeedStatus { runner.status }
}
