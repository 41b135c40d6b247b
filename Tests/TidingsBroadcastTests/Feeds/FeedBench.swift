import Logging
import NIOCore
import NIOEmbedded
import Synchronization
import TestSupport
import Testing
import TidingsTesting
import TidingsWire

@testable import TidingsBroadcast

/// A server's feeds on a clock that moves only when a test says so.
final class FeedBench: Sendable {
    let clock = FeedClock()
    let hub: BroadcastHub
    let broadcast: WebSocketBroadcastBackend
    let feeds: FeedRegistry
    let logs = LogRecorder()
    /// What was told, on each channel.
    private let told = Mutex<[ChannelName: [String]]>([:])

    init(_ change: (inout FeedRegistry.Configuration) -> Void = { _ in }) {
        hub = BroadcastHub()
        broadcast = WebSocketBroadcastBackend(hub: hub)
        var configuration = FeedRegistry.Configuration()
        configuration.jitter = 0
        change(&configuration)
        feeds = FeedRegistry(broadcast, configuration: configuration, clock: clock, logger: logs.logger)
    }

    /// Runs the registry for as long as a test's body does.
    func run<Result: Sendable>(_ body: @Sendable () async throws -> Result) async throws -> Result {
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await self.feeds.run() }
            defer { group.cancelAll() }
            return try await body()
        }
    }

    /// Notes what is told of a feed from now on.
    func record(_ name: FeedName) async throws {
        _ = try await broadcast.subscribe(to: name.channel) { event in
            self.told.withLock {
                $0[event.channel, default: []].append(String(decoding: event.payload.json, as: UTF8.self))
            }
        }
    }

    func told(_ name: FeedName) -> [String] { told.withLock { $0[name.channel] ?? [] } }

    /// Moves the clock and waits until the feeds have done what was due, and wait again.
    ///
    /// - Parameter sleepers: How many of them do.
    func advance(by duration: Duration, sleepers: Int = 1) async {
        let sleeps = clock.sleeps
        clock.advance(by: duration)
        await clock.wait(forSleeps: sleeps + sleepers)
    }
}

/// A clock that counts who sleeps on it.
final class FeedClock: Clock, Sendable {
    typealias Instant = ManualClock.Instant

    private let base = ManualClock()
    private let begun = Mutex(0)
    private let changed = AsyncCondition()

    var now: Instant { base.now }
    var minimumResolution: Duration { base.minimumResolution }
    /// How often somebody began to sleep.
    var sleeps: Int { begun.withLock { $0 } }

    func advance(by duration: Duration) {
        base.advance(by: duration)
    }

    func wait(forSleeps count: Int) async {
        await changed.wait { self.sleeps >= count }
    }

    func sleep(until deadline: Instant, tolerance: Duration?) async throws {
        begun.withLock { $0 += 1 }
        changed.changed()
        try await base.sleep(until: deadline, tolerance: tolerance)
    }
}

/// Where a feed's values come from: counts how often it is asked, fails when told so, and keeps whoever asks waiting
/// while its gate is closed.
final class FeedSource<Value: Sendable>: Sendable {
    struct Broken: Error {}

    private struct State {
        var value: Value
        var isBroken = false
        var isOpen = true
        var asked = 0
        var inside = 0
        var mostInside = 0
    }

    private let state: Mutex<State>
    private let changed = AsyncCondition()

    init(_ value: Value) {
        state = Mutex(State(value: value))
    }

    var asked: Int { state.withLock(\.asked) }
    /// How many asked at the same time, at the most.
    var mostAtOnce: Int { state.withLock(\.mostInside) }

    func set(_ value: Value) { state.withLock { $0.value = value } }
    func setBroken(_ isBroken: Bool) { state.withLock { $0.isBroken = isBroken } }

    func setOpen(_ isOpen: Bool) {
        state.withLock { $0.isOpen = isOpen }
        changed.changed()
    }

    func wait(forAsked count: Int) async {
        await changed.wait { self.asked >= count }
    }

    /// The value of the moment at which it was asked.
    func ask() async throws -> Value {
        let (value, isBroken) = state.withLock { state in
            state.asked += 1
            state.inside += 1
            state.mostInside = max(state.mostInside, state.inside)
            return (state.value, state.isBroken)
        }
        changed.changed()
        await changed.wait { self.state.withLock(\.isOpen) }
        state.withLock { $0.inside -= 1 }
        if isBroken { throw Broken() }
        return value
    }
}

/// A client of `GET /ws/feeds`, or one that speaks another dialect, at the other end of a channel.
final class FeedClient: Sendable {
    private let channel: NIOAsyncTestingChannel
    private let dialect: Dialect
    private let reader: Mutex<WebSocketReader>

    /// Connects to hear feeds: the named ones, or all.
    static func connect(
        _ hub: BroadcastHub,
        hearing names: [String] = [],
        credentials: Result<Identity, AuthenticationError>? = nil
    ) async throws -> FeedClient {
        try await FeedClient(hub, .feed) { loop in
            hub.makeFeedSessionHandler(on: loop, hearing: names, credentials: credentials, writesDirectly: false)
        }
    }

    static func connect(_ hub: BroadcastHub, speaking dialect: Dialect) async throws -> FeedClient {
        try await FeedClient(hub, dialect) { loop in
            hub.makeSessionHandler(on: loop, speaking: dialect, writesDirectly: false)
        }
    }

    private init(
        _ hub: BroadcastHub,
        _ dialect: Dialect,
        _ makeHandler: @escaping @Sendable (any EventLoop) -> any ChannelHandler
    ) async throws {
        self.dialect = dialect
        reader = Mutex(WebSocketReader(from: .server, maximumMessageBytes: 1 << 20))
        let channel = NIOAsyncTestingChannel()
        self.channel = channel
        try await channel.connect(to: SocketAddress(ipAddress: "127.0.0.1", port: 1))
        try await channel.testingEventLoop.executeInContext {
            try channel.pipeline.syncOperations.addHandler(makeHandler(channel.testingEventLoop))
        }
        await channel.testingEventLoop.run()
    }

    func send(_ text: String) async throws {
        try await channel.writeInbound(ByteBuffer(bytes: WebSocketFrame.encode(.text, Array(text.utf8), mask: 77)))
        await channel.testingEventLoop.run()
    }

    /// What has come since it was asked last.
    func receive() async throws -> [String] {
        await channel.testingEventLoop.run()
        var texts: [String] = []
        while let buffer = try await channel.readOutbound(as: ByteBuffer.self) {
            try reader.withLock { reader in
                try reader.read(Array(buffer.readableBytesView)) { message in
                    if case .text(let text) = message { texts.append(String(decoding: text, as: UTF8.self)) }
                }
            }
        }
        return texts
    }

    func drop() async throws {
        _ = try await channel.finish(acceptAlreadyClosed: true)
    }
}
