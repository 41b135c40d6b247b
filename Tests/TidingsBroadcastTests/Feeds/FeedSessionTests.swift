import Testing
import TidingsWire

@testable import TidingsBroadcast

@Suite("Who listens to feeds")
struct FeedSessionTests {
    private struct Change: Codable, Sendable {
        let id: String
        let status: String
    }

    @Test("gets the last value of every feed at once, in the order of their declaration, then what follows")
    func every() async throws {
        let bench = FeedBench()
        let load = try bench.feeds.declare("load", .events(of: Int.self))
        let queue = try bench.feeds.declare("queue", .events(of: Change.self).frame(.flat))
        try bench.feeds.declare("silent", .events(of: Int.self))
        try await queue.send(Change(id: "7", status: "running"))
        for value in 1...3 { try await load.send(value) }
        let client = try await FeedClient.connect(bench.hub)
        #expect(
            try await client.receive() == [
                #"{"type":"load_update","data":3}"#,
                #"{"type":"queue_update","id":"7","status":"running"}"#,
            ]
        )
        try await queue.send(Change(id: "7", status: "completed"))
        #expect(
            try await client.receive() == [#"{"type":"queue_update","id":"7","status":"completed"}"#]
        )
        #expect(bench.hub.channels == ["feed:load": 1, "feed:queue": 1, "feed:silent": 1])
        try await client.drop()
    }

    @Test("gets those that it names, and an error for each that there is not")
    func named() async throws {
        let bench = FeedBench()
        let load = try bench.feeds.declare("load", .events(of: Int.self))
        try bench.feeds.declare("queue", .events(of: Int.self))
        try await load.send(1)
        let client = try await FeedClient.connect(bench.hub, hearing: ["load", "nothing", "a b", "load"])
        let texts = try await client.receive()
        #expect(texts.count == 3)
        #expect(texts[0].contains(#""code":"bad_channel""#) && texts[0].contains(#""channel":"nothing""#))
        #expect(texts[1].contains(#""code":"bad_channel""#) && texts[1].contains(#""channel":"a b""#))
        #expect(texts[2] == #"{"type":"load_update","data":1}"#)
        #expect(bench.hub.channels == ["feed:load": 1])
        try await client.drop()
    }

    @Test("can ask for a sign of life, and for nothing else")
    func ping() async throws {
        let bench = FeedBench()
        let client = try await FeedClient.connect(bench.hub)
        try await client.send(#"{"ping":5,"subscribe":["order"],"publish":"order","payload":{}}"#)
        #expect(try await client.receive() == [#"{"pong":5}"#])
        #expect(bench.hub.channels.isEmpty)
        try await client.send("[]")
        #expect(try await client.receive().first?.contains(#""code":"bad_request""#) == true)
        try await client.drop()
    }

    @Test("in the other dialects a feed is a channel whose last value comes with the subscription")
    func channels() async throws {
        let bench = FeedBench()
        let queue = try bench.feeds.declare("queue", .events(of: Change.self).frame(.flat))
        for status in ["waiting", "running"] { try await queue.send(Change(id: "7", status: status)) }
        let client = try await FeedClient.connect(bench.hub, speaking: .plain)
        try await client.send(#"{"subscribe":["feed:queue"]}"#)
        let payload = #"{"data":{"id":"7","status":"running"}}"#
        #expect(
            try await client.receive() == ["{\"channel\":\"feed:queue\",\"event\":\"update\",\"payload\":\(payload)}"]
        )
        try await client.drop()
    }

    @Test("is a snapshot channel also where the application declares its channels to be something else")
    func delivery() {
        var configuration = BroadcastHub.Configuration()
        configuration.delivery = { _ in .stream }
        let hub = BroadcastHub(configuration: configuration)
        #expect(hub.configuration.delivery("feed:load") == .snapshot)
        #expect(hub.configuration.delivery("feed") == .stream)
        #expect(hub.configuration.delivery("order") == .stream)
    }
}

@Suite("Who may listen to feeds")
struct FeedIdentityTests {
    private struct Doorman: Authenticator {
        func identity(of token: String) async throws(AuthenticationError) -> Identity {
            guard token != "bad" else { throw AuthenticationError(.invalid, "This token is none.") }
            return Identity(subject: "42", channels: [ChannelPattern(stringLiteral: token)])
        }
    }

    private func bench() async throws -> (hub: BroadcastHub, load: Feed<Int>, secret: Feed<Int>) {
        var configuration = BroadcastHub.Configuration()
        configuration.authenticator = Doorman()
        let broadcast = WebSocketBroadcastBackend(hub: BroadcastHub(configuration: configuration))
        let feeds = FeedRegistry(broadcast)
        let load = try feeds.declare("load", .events(of: Int.self))
        let secret = try feeds.declare("secret", .events(of: Int.self))
        try await load.send(1)
        try await secret.send(2)
        return (broadcast.hub, load, secret)
    }

    private func identity(_ pattern: ChannelPattern) -> Result<Identity, AuthenticationError> {
        .success(Identity(subject: "42", channels: [pattern]))
    }

    @Test("of all feeds a client gets those that it may hear, and no word about the others")
    func allowed() async throws {
        let bench = try await bench()
        let client = try await FeedClient.connect(bench.hub, credentials: identity("feed:load"))
        #expect(try await client.receive() == [#"{"type":"load_update","data":1}"#])
        try await bench.secret.send(3)
        #expect(try await client.receive().isEmpty)
        try await client.drop()
    }

    @Test("one that it names and may not hear has its error")
    func forbidden() async throws {
        let bench = try await bench()
        let client = try await FeedClient.connect(
            bench.hub,
            hearing: ["secret", "load"],
            credentials: identity("feed:load")
        )
        let texts = try await client.receive()
        #expect(texts.count == 2)
        #expect(texts[0].contains(#""code":"forbidden""#) && texts[0].contains(#""channel":"feed:secret""#))
        #expect(texts[1] == #"{"type":"load_update","data":1}"#)
        try await client.drop()
    }

    @Test("a client that says later who it is hears nothing until then")
    func later() async throws {
        let bench = try await bench()
        let client = try await FeedClient.connect(bench.hub)
        #expect(try await client.receive().isEmpty)
        try await client.send(#"{"ping":1}"#)
        #expect(try await client.receive().first?.contains(#""code":"unauthenticated""#) == true)
        for (token, expected) in [("bad", "unauthenticated"), ("feed:*", "load_update")] {
            try await client.send("{\"auth\":\"\(token)\"}")
            var texts: [String] = []
            while texts.isEmpty { texts = try await client.receive() }
            #expect(texts.first?.contains(expected) == true)
        }
        #expect(bench.hub.channels == ["feed:load": 1, "feed:secret": 1])
        try await client.drop()
    }
}
