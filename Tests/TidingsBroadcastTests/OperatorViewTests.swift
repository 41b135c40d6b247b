import Foundation
import NIOCore
import NIOEmbedded
import Synchronization
import TestSupport
import Testing
import TidingsWire

@testable import TidingsBroadcast

@Suite("What a hub tells its operators", .timeLimit(.patience))
struct OperatorViewTests {
    private struct Unreachable: Error {}

    /// Refuses every event.
    private struct BrokenBackend: BroadcastBackend {
        let error: any Error
        var supportsPush: Bool { false }
        func broadcast(_ event: BroadcastEvent) async throws { throw error }
        func subscribe(
            to channel: ChannelName,
            handler: @escaping BroadcastHandler
        ) async throws
            -> BroadcastSubscription
        {
            throw error
        }
        func unsubscribe(_ subscription: BroadcastSubscription) async {}
        func checkHealth() async throws {}
        func close() async {}
    }

    private let hub = BroadcastHub()
    private let loop = NIOAsyncTestingEventLoop()

    private func client(_ channels: String, of identity: Identity? = nil) async throws -> NIOAsyncTestingChannel {
        let channel = NIOAsyncTestingChannel(loop: loop)
        try await channel.connect(to: SocketAddress(ipAddress: "127.0.0.1", port: 1))
        try await loop.executeInContext { [hub, loop] in
            let credentials = identity.map { Result<Identity, AuthenticationError>.success($0) }
            let handler = hub.makeSessionHandler(
                on: loop,
                speaking: .plain,
                credentials: credentials,
                writesDirectly: false
            )
            try channel.pipeline.syncOperations.addHandler(handler)
        }
        try await send("{\"subscribe\":[\(channels)]}", channel)
        return channel
    }

    private func send(_ text: String, _ channel: NIOAsyncTestingChannel) async throws {
        try await channel.writeInbound(ByteBuffer(bytes: WebSocketFrame.encode(.text, Array(text.utf8), mask: 7)))
    }

    /// The loop moves only when it is told to, and is asked in between.
    private func asking<Value: Sendable>(_ question: @escaping @Sendable () async -> Value) async -> Value {
        let answer = Answer<Value>()
        return await withTaskGroup(of: Void.self) { group in
            group.addTask {
                let value = await question()
                answer.value.withLock { $0 = value }
            }
            while true {
                await loop.run()
                if let value = answer.value.withLock({ $0 }) { return value }
                await Task.yield()
            }
        }
    }

    private func slowSessions(atMost most: Int) async -> SlowSessions {
        await asking { [hub] in await hub.slowSessions(atMost: most) }
    }

    private final class Answer<Value: Sendable>: Sendable {
        let value = Mutex<Value?>(nil)
    }

    @Test("alike errors are one with a count, the newest come first, and the oldest are forgotten")
    func ring() {
        let time = Mutex(Date(timeIntervalSince1970: 0))
        let errors = RecentErrors(capacity: 2) { time.withLock { $0 } }
        errors.record(.client, code: "bad_json", "one")
        errors.record(.client, code: "forbidden", "two")
        time.withLock { $0 = Date(timeIntervalSince1970: 9) }
        errors.record(.client, code: "bad_json", "one")
        #expect(errors.newestFirst.map(\.message) == ["one", "two"])
        #expect(errors.newestFirst.map(\.count) == [2, 1])
        #expect(errors.newestFirst.map(\.last.timeIntervalSince1970) == [9, 0])
        errors.record(.server, code: "bad_json", "one")
        #expect(errors.newestFirst.map(\.origin) == [.server, .client])
        errors.record(.server, code: "long", String(repeating: "x", count: 10_000))
        #expect(errors.newestFirst.map(\.message.count) == [200, 3])
    }

    @Test("what clients did wrong is kept from when somebody asks for it, without what they wrote")
    func clientErrors() async throws {
        let channel = try await client(#""a""#)
        try await send("unseen", channel)
        let errors = hub.keepErrors(atMost: 10)
        #expect(hub.keepErrors(atMost: 1) === errors)
        #expect(errors.newestFirst.isEmpty)
        try await send("a secret", channel)
        try await send(#"{"publish":{"channel":"secret","event":"updated","payload":{"secret":1}}}"#, channel)
        try await send(#"{"subscribe":["sec ret"]}"#, channel)
        try await channel.writeInbound(ByteBuffer(bytes: [0xFF, 0x00]))
        let codes = Set(errors.newestFirst.map(\.code))
        #expect(codes.isSuperset(of: ["bad_json", "bad_channel", "closed_1002"]), "\(codes)")
        #expect(errors.newestFirst.allSatisfy { $0.origin == .client })
        #expect(!errors.newestFirst.contains { $0.message.contains("secret") || $0.message.contains("sec ret") })
    }

    @Test("a client that goes, and one that is sent away for no fault of its own, are no errors")
    func noErrors() async throws {
        let errors = hub.keepErrors(atMost: 10)
        let leaving = try await client(#""a""#)
        try await leaving.writeInbound(ByteBuffer(bytes: WebSocketFrame.close(.normal, mask: 7)))
        let staying = try await client(#""a""#, of: Identity(subject: "ada"))
        let closed = await asking { [hub] in await hub.closeSessions(of: "ada") }
        #expect(closed == 1)
        _ = staying
        #expect(errors.newestFirst.isEmpty)
    }

    @Test("events that cannot be broadcast are kept: a stranger's error by its type only")
    func broadcastErrors() async throws {
        let errors = hub.keepErrors(atMost: 10)
        for error in [Unreachable(), BroadcastError(.unavailable, "Redis is away."), CancellationError()] as [any Error]
        {
            let broadcast = WebSocketBroadcastBackend(underlying: BrokenBackend(error: error), hub: hub)
            await #expect(throws: (any Error).self) { try await broadcast.broadcast("updated", on: "order") }
        }
        #expect(errors.newestFirst.map(\.code) == ["unavailable", "broadcast_failed"])
        #expect(
            errors.newestFirst.map(\.message)
                == ["Redis is away.", "An event could not be broadcast. (Unreachable)"]
        )
        #expect(errors.newestFirst.allSatisfy { $0.origin == .server })
    }

    @Test("sessions that read too slowly: whose they are, what waits, the slowest first, and no more than asked for")
    func slow() async throws {
        let (ada, bob, quick) = (
            try await client(#""a""#, of: Identity(subject: "ada")),
            try await client(#""a","b""#, of: Identity(subject: "bob")), try await client(#""a""#)
        )
        let none = await slowSessions(atMost: 5)
        #expect(none == SlowSessions())
        for channel in [ada, bob] {
            channel.isWritable = false
            try await loop.executeInContext { channel.pipeline.fireChannelWritabilityChanged() }
        }
        for channel in ["a", "a", "b"] as [ChannelName] {
            try hub.publish(BroadcastEvent(channel: channel, name: .updated))
        }
        let found = await slowSessions(atMost: 5)
        #expect(found.count == 2)
        #expect(found.slowest.map(\.subject) == ["bob", "ada"])
        #expect(found.slowest.map(\.channels) == [2, 1])
        #expect(found.slowest.map(\.waitingEvents) == [3, 2])
        #expect(found.slowest.allSatisfy { $0.waitingBytes > 50 && !$0.isEventStream })
        let fewer = await slowSessions(atMost: 1)
        #expect(fewer.count == 2)
        #expect(fewer.slowest.map(\.subject) == ["bob"])
        _ = quick
    }
}
