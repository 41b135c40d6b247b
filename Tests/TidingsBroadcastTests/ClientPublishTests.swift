import NIOCore
import NIOEmbedded
import Synchronization
import Testing
import TidingsTesting
import TidingsWire

@testable import TidingsBroadcast

@Suite("What a client publishes, in the server")
struct ClientPublishTests {
    /// A hub on a backend, on a loop and an executor that move only when a test says so.
    private struct Bench {
        let loop = EmbeddedEventLoop()
        let executor = ManualExecutor()
        let backend: WebSocketBroadcastBackend

        init(_ underlying: any BroadcastBackend = InMemoryBroadcastBackend()) {
            var configuration = BroadcastHub.Configuration()
            configuration.executor = executor
            configuration.policy = ChannelPolicy(publishableChannels: ["*"])
            backend = WebSocketBroadcastBackend(
                underlying: underlying,
                hub: BroadcastHub(configuration: configuration)
            )
        }

        func settle() {
            repeat { loop.run() } while executor.run()
            loop.run()
        }

        func connect() throws -> ExtendedClient {
            let client = try ExtendedClient(backend.hub, loop)
            _ = try client.receive()
            return client
        }
    }

    @Test("is heard by the handlers of the process, as what the server broadcasts is")
    func handlers() async throws {
        let (bench, recorder) = (Bench(), EventRecorder())
        _ = try await bench.backend.subscribe(to: "bell", handler: recorder.handler)
        let client = try bench.connect()
        try client.subscribe("bell")
        for number in 0..<3 {
            let request = PublishRequest(channel: "bell", name: "rung", payload: ["n": .integer(number)])
            try client.send(ClientMessage(id: .init(number + 10), publish: request))
        }
        try client.send(ClientMessage(id: 20, publish: PublishRequest(channel: "other", name: "rung")))
        bench.settle()
        #expect(recorder.events.map(\.payload) == (0..<3).map { ["n": .integer($0)] })
        #expect(recorder.events.allSatisfy { $0.time != nil })
        let messages = try client.receive()
        #expect(messages.compactMap(\.event).map(\.payload) == (0..<3).map { ["n": .integer($0)] })
        #expect(messages.replies.compactMap(\.published).map(\.offset) == [1, 2, 3, 4])
        try client.drop()
    }

    @Test("is told to nobody if the backend underneath does not take it")
    func refused() async throws {
        let bench = Bench(RefusingBackend())
        let client = try bench.connect()
        try client.subscribe("bell")
        try client.send(ClientMessage(id: 2, publish: PublishRequest(channel: "bell", name: "rung")))
        bench.settle()
        let messages = try client.receive()
        #expect(messages.compactMap(\.event).isEmpty)
        #expect(messages.replies.last?.refused.map(\.code) == [.unavailable])
        try client.drop()
    }
}

extension [ServerMessage] {
    fileprivate var replies: [ServerReply] {
        compactMap { message in
            if case .reply(let reply) = message { reply } else { nil }
        }
    }
}

/// A backend that does not work.
private struct RefusingBackend: BroadcastBackend {
    var supportsPush: Bool { false }

    func broadcast(_ event: BroadcastEvent) async throws {
        throw BroadcastError(.unavailable, "It does not work.")
    }

    func subscribe(to channel: ChannelName, handler: @escaping BroadcastHandler) async throws -> BroadcastSubscription {
        BroadcastSubscription(channel: channel, identifier: 1)
    }

    func unsubscribe(_ subscription: BroadcastSubscription) async {}
    func checkHealth() async throws {}
    func close() async {}
}
