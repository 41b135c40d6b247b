import AsyncHTTPClient
import Foundation
import Hummingbird
import NIOCore
import NIOHTTP1
import ServiceLifecycle
import TestSupport
import TidingsBroadcast
import TidingsEntities
import TidingsHummingbird
import TidingsSQLite

/// A server of this process that keeps orders in a file of its own.
struct EntityServer: Sendable {
    let server: TestServer
    let entities: Entities
    /// What every request says besides.
    var headers: [(String, String)] = []

    static func run<Result: Sendable>(
        endpoints: EntityEndpoints = EntityEndpoints(),
        allowedOrigins: AllowedOrigins = .sameHost,
        hub: BroadcastHub.Configuration = .make { _ in },
        authenticator: (any Authenticator)? = nil,
        broadcastEndpoints: BroadcastEndpoints = .make(),
        metrics: PrometheusMetrics? = nil,
        _ body: @Sendable (EntityServer) async throws -> Result
    ) async throws -> Result {
        let folder = try TemporaryFolder()
        defer { withExtendedLifetime(folder) {} }
        let store = try SQLiteEntityStore(path: folder.file("orders.sqlite"))
        let entities = try Entities([Order.self, Guest.self, Settings.self], in: store)
        try await entities.prepare()
        var hub = hub
        hub.delivery = entities.channelDelivery()
        if let authenticator {
            hub.authenticator = authenticator
            hub.policy = entities.channelPolicy()
        }
        let router = Router()
        router.addEntities(entities, endpoints: endpoints)
        var broadcastEndpoints = broadcastEndpoints
        broadcastEndpoints.allowedOrigins = allowedOrigins
        let relays: @Sendable (WebSocketBroadcastBackend) -> [any Service] = { broadcast in
            [OutboxRelay(entities: entities, hub: broadcast.hub, metrics: metrics)]
        }
        let result = try await TestServer.run(
            router: router,
            endpoints: broadcastEndpoints,
            hub: hub,
            services: relays
        ) { server in
            try await body(EntityServer(server: server, entities: entities))
        }
        await store.close()
        return result
    }

    func with(_ headers: (String, String)...) -> EntityServer {
        EntityServer(server: server, entities: entities, headers: self.headers + headers)
    }

    func bearing(_ token: String) -> EntityServer { with(("Authorization", "Bearer \(token)")) }
}

// MARK: - Requests

extension EntityServer {
    struct Answer {
        let status: UInt
        let headers: HTTPHeaders
        let body: Data

        /// The body's object; empty if it is none.
        var object: [String: Any] { (try? JSONSerialization.jsonObject(with: body) as? [String: Any]) ?? [:] }

        subscript(name: String) -> String? { headers.first(name: name) }

        func string(_ name: String) -> String? { object[name] as? String }
        func integer(_ name: String) -> Int? { object[name] as? Int }

        var items: [[String: Any]] { object["items"] as? [[String: Any]] ?? [] }
        /// Pointer and code of each fault.
        var faults: [String] {
            (object["errors"] as? [[String: String]] ?? []).map { "\($0["pointer"] ?? "") \($0["code"] ?? "")" }
        }
    }

    @discardableResult
    func send(
        _ method: HTTPMethod,
        _ path: String,
        _ json: String? = nil,
        _ headers: (String, String)...
    ) async throws -> Answer {
        var request = HTTPClientRequest(url: "http://127.0.0.1:\(server.port)\(path)")
        request.method = method
        if let json {
            request.body = .bytes(ByteBuffer(string: json))
            request.headers.add(name: "Content-Type", value: "application/json")
        }
        for (name, value) in self.headers + headers { request.headers.replaceOrAdd(name: name, value: value) }
        let response = try await HTTPClient.shared.execute(request, timeout: TimeAmount(.patience))
        let body = try await response.body.collect(upTo: 1 << 22)
        return Answer(status: response.status.code, headers: response.headers, body: Data(body.readableBytesView))
    }

    /// Creates an order; returns its identifier.
    func openOrder(table: String = "7") async throws -> String {
        let answer = try await send(.POST, "/orders", #"{"table":"\#(table)"}"#)
        guard answer.status == 201, let id = answer.string("id") else {
            throw TestFailure("the order was not created: \(answer.status)")
        }
        return id
    }
}
