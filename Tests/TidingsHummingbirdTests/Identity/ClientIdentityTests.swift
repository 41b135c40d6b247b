import Foundation
import Logging
import SocketTestSupport
import Synchronization
import TestSupport
import Testing
import TidingsBroadcast
import TidingsClient
import TidingsHummingbird
import TidingsWire

/// The Swift client and the server together.
@Suite("Clients with tokens", .timeLimit(.patience))
struct ClientIdentityTests {
    private func makeHub(
        _ change: (inout BroadcastHub.Configuration) -> Void = { _ in }
    ) async throws -> BroadcastHub.Configuration {
        var hub = BroadcastHub.Configuration.make(change)
        hub.authenticator = try await JWTAuthenticator(keys: .secret(TokenMaker.secret))
        return hub
    }

    private func makeClient(
        _ server: TestServer,
        token: @escaping @Sendable () async throws -> String?
    ) throws -> BroadcastClient {
        var configuration = BroadcastClient.Configuration()
        configuration.token = token
        configuration.backoff = Backoff(base: .milliseconds(10), maximum: .milliseconds(50))
        configuration.logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        return try BroadcastClient(url: server.url, configuration: configuration)
    }

    @Test("an expired token costs a connection and no event")
    func expiry() async throws {
        let date = MovableDate(Date())
        let maker = await TokenMaker.secret()
        let given = Mutex(0)
        try await TestServer.run(hub: try await makeHub { $0.now = { date.now } }) { server in
            let client = try makeClient(server) {
                given.withLock { $0 += 1 }
                return try await maker.token(.init(channels: ["order"]), at: date.now, lasting: 60)
            }
            let heard = Inbox<BroadcastEvent>()
            let subscription = client.subscribe(to: "order") { heard.put($0) }
            client.connect()
            try await eventually("subscribed") { server.broadcast.hub.subscriberCount(of: "order") == 1 }
            // Past expiry and grace of the first token.
            date.advance(by: 86)
            try await eventually("a second token was asked for") { given.withLock { $0 } >= 2 }
            try await server.broadcast.broadcast("updated", on: "order", ["entity_id": "1"])
            #expect(try await heard.next()?.payload.entityID == "1")
            subscription.cancel()
            client.disconnect()
        }
    }

    @Test("a token is replaced on the living connection before it expires")
    func refresh() async throws {
        let maker = await TokenMaker.secret()
        let given = Mutex(0)
        try await TestServer.run(hub: try await makeHub()) { server in
            let client = try makeClient(server) {
                let number = given.withLock { count in
                    count += 1
                    return count
                }
                // The first one lives for a moment, the second one opens one channel more.
                return try await maker.token(
                    .init(channels: number == 1 ? ["order"] : ["order", "menu"]),
                    lasting: number == 1 ? 3 : 3600
                )
            }
            let subscriptions = [client.subscribe(to: "order") { _ in }, client.subscribe(to: "menu") { _ in }]
            client.connect()
            try await eventually("the new token opens a channel") {
                server.broadcast.hub.channels == ["order": 1, "menu": 1]
            }
            #expect(given.withLock { $0 } >= 2)
            for subscription in subscriptions { subscription.cancel() }
            client.disconnect()
        }
    }

    @Test("a client whose token is refused asks for another once, and gives up when there is none")
    func refused() async throws {
        try await TestServer.run(hub: try await makeHub()) { server in
            let client = try makeClient(server) { "nonsense" }
            client.connect()
            for await state in client.stateChanges {
                guard case .failed(let error) = state else { continue }
                #expect(error.code == .notAuthenticated)
                break
            }
            #expect(server.broadcast.hub.connectionCount(of: "42") == 0)
        }
    }

    @Test("hundreds of channels asked for one by one on an open connection are all heard")
    func manyChannels() async throws {
        try await TestServer.run(hub: .make { $0.channelsPerSession = 1000 }) { server in
            var configuration = BroadcastClient.Configuration()
            configuration.logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
            let client = try BroadcastClient(url: server.url, configuration: configuration)
            client.connect()
            for await state in client.stateChanges where state == .connected { break }
            let channels = try (0..<800).map { try ChannelName("c:\($0)") }
            let subscriptions = channels.map { client.subscribe(to: $0) { _ in } }
            try await eventually("all are held") { server.broadcast.hub.channels.count == 800 }
            for subscription in subscriptions { subscription.cancel() }
            try await eventually("none is held") { server.broadcast.hub.channels.isEmpty }
            client.disconnect()
        }
    }
}
