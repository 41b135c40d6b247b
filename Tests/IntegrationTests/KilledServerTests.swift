import Foundation
import Logging
import SocketTestSupport
import Synchronization
import TestSupport
import Testing
import TidingsClient
import TidingsWire

@Suite("A server that is killed", .timeLimit(.patience), .serialized)
struct KilledServerTests {
    @Test("a thousand clients all come back, and miss nothing that happens before they are")
    func thousandClients() async throws {
        var server = try await BistroServer.start()
        var configuration = BroadcastClient.Configuration()
        configuration.backoff = Backoff(base: .milliseconds(200), maximum: .seconds(1))
        configuration.logger.logLevel = .critical
        let heard = Mutex<[Int: [String]]>([:])
        var clients: [(client: BroadcastClient, subscription: BroadcastClient.Subscription)] = []
        for number in 0..<1000 {
            let client = try BroadcastClient(url: server.broadcastURL, configuration: configuration)
            let subscription = client.subscribe(to: "order") { event in
                heard.withLock { $0[number, default: []].append(event.name.rawValue) }
            }
            client.connect()
            clients.append((client, subscription))
        }
        try await Self.wait(for: 1000, on: server)
        let order = try await server.openOrder(table: "7")
        try await eventually("everybody heard of the order") {
            heard.withLock { $0.count == 1000 && $0.values.allSatisfy { $0 == ["created"] } }
        }

        server = try await server.killAndRestart()
        try await server.request("PATCH", "/orders/\(order)", ["note": "after the restart"])
        try await eventually("everybody heard of the change") {
            heard.withLock { $0.values.allSatisfy { $0 == ["created", "updated"] } }
        }
        for (client, subscription) in clients {
            subscription.cancel()
            client.disconnect()
        }
        #expect(try await server.stop() == 0)
    }

    private static func wait(for count: Int, on server: BistroServer) async throws {
        try await eventually("\(count) clients listen") {
            try await server.request("GET", "/broadcast/stats")["channels"] as? [String: Int] == ["order": count]
        }
    }
}
