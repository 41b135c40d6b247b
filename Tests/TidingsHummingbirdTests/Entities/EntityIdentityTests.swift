import Foundation
import NIOHTTP1
import SocketTestSupport
import TestSupport
import Testing
import TidingsBroadcast
import TidingsEntities
import TidingsHummingbird

@Suite("Who may see and change entities, by one token for routes and sockets", .timeLimit(.patience))
struct EntityIdentityTests {
    /// A server that knows waiters by the tables in their tokens, with an order at table 7 and one at table 8.
    private func withServer(
        _ body: @Sendable (_ manager: EntityServer, _ tokens: Tokens, _ orders: [String]) async throws -> Void
    ) async throws {
        var configuration = JWTAuthenticator.Configuration()
        configuration.attributes = ["table", "role"]
        let authenticator = try await JWTAuthenticator(keys: .secret(TokenMaker.secret), configuration: configuration)
        var endpoints = EntityEndpoints()
        endpoints.authenticator = authenticator
        try await EntityServer.run(endpoints: endpoints, authenticator: authenticator) { server in
            let tokens = try await Tokens.make()
            let manager = server.bearing(tokens.manager)
            let orders = [try await manager.openOrder(table: "7"), try await manager.openOrder(table: "8")]
            try await body(manager, tokens, orders)
        }
    }

    private struct Tokens {
        let manager: String
        let waiter: String
        let guest: String

        static func make() async throws -> Tokens {
            let maker = await TokenMaker.secret()
            return Tokens(
                manager: try await maker.token(.init(sub: "manager")),
                waiter: try await maker.token(.init(sub: "waiter", table: "7")),
                guest: try await maker.token(.init(sub: "guest", role: "guest"))
            )
        }
    }

    @Test("without a token nobody gets anything")
    func anonymous() async throws {
        try await withServer { manager, _, orders in
            let nobody = EntityServer(server: manager.server, entities: manager.entities)
            for (token, challenge) in [(nil, "Bearer"), ("nonsense", #"Bearer error="invalid_token""#)] {
                let asking = token.map(nobody.bearing) ?? nobody
                for path in ["/orders", "/orders/\(orders[0])", "/orders/\(orders[0])/history", "/settings"] {
                    let answer = try await asking.send(.GET, path)
                    #expect(answer.status == 401, "\(path)")
                    #expect(answer["WWW-Authenticate"] == challenge)
                    #expect(answer.string("code") == "unauthenticated")
                }
                #expect(try await asking.send(.POST, "/orders", #"{"table":"7"}"#).status == 401)
            }
        }
    }

    @Test("a waiter of table 7 sees and changes only table 7 on routes")
    func routes() async throws {
        try await withServer { manager, tokens, orders in
            let waiter = manager.bearing(tokens.waiter)
            #expect(try await waiter.send(.GET, "/orders").items.map { $0["id"] as? String } == [orders[0]])
            #expect(try await waiter.send(.GET, "/orders?table=8").items.isEmpty)
            #expect(try await manager.send(.GET, "/orders").items.count == 2)
            for path in ["/orders/\(orders[1])", "/orders/\(orders[1])/history"] {
                #expect(try await waiter.send(.GET, path).status == 404)
            }
            let changes: [(HTTPMethod, String, String)] = [
                (.PATCH, "", #"{"note":"mine"}"#), (.DELETE, "", "{}"), (.POST, "/transition", #"{"to":"preparing"}"#),
                (.POST, "/items", #"{"name":"Tea"}"#), (.POST, "/move_table", #"{"table":"7"}"#),
            ]
            for (method, path, body) in changes {
                #expect(try await waiter.send(method, "/orders/\(orders[1])\(path)", body).status == 404, "\(path)")
            }
            #expect(try await waiter.send(.POST, "/orders", #"{"table":"8"}"#).status == 403)
            #expect(try await waiter.send(.PATCH, "/orders/\(orders[0])", #"{"table":"8"}"#).status == 403)
            #expect(try await waiter.send(.POST, "/orders/\(orders[0])/move_table", #"{"table":"8"}"#).status == 403)
            #expect(try await manager.send(.GET, "/orders/\(orders[0])").integer("version") == 1)

            #expect(try await waiter.send(.PATCH, "/orders/\(orders[0])", #"{"note":"hot"}"#).status == 200)
            #expect(try await waiter.send(.POST, "/orders", #"{"table":"7"}"#).status == 201)
            let history = try await waiter.send(.GET, "/orders/\(orders[0])/history").items
            #expect(history.map { $0["user_id"] as? String } == ["waiter", "manager"])
        }
    }

    @Test("who may only look is told so")
    func operations() async throws {
        try await withServer { manager, tokens, orders in
            let guest = manager.bearing(tokens.guest)
            #expect(try await guest.send(.GET, "/orders").items.count == 2)
            #expect(try await guest.send(.GET, "/orders/\(orders[0])/history").status == 403)
            let refused = try await guest.send(.PATCH, "/orders/\(orders[0])", #"{"note":"mine"}"#)
            #expect(refused.status == 403)
            #expect(refused.string("code") == "forbidden")
        }
    }

    @Test("a waiter of table 7 hears only of table 7, also of what happened while away")
    func events() async throws {
        try await withServer { manager, tokens, orders in
            let socket = try await TestSocket.connect(
                to: manager.server.url,
                subprotocols: ["tidings.v1"],
                headers: [("Authorization", "Bearer \(tokens.waiter)")]
            )
            _ = try await socket.receive()
            let position = try #require(try await manager.send(.GET, "/orders")["Tidings-Position"])
            try await manager.send(.PATCH, "/orders/\(orders[1])", #"{"note":"theirs"}"#)
            try await manager.send(.PATCH, "/orders/\(orders[0])", #"{"note":"ours"}"#)

            let channels = ["order", "table:7", "table:8", "order:\(orders[0])", "order:\(orders[1])"]
            let since = channels.map { #""\#($0)":"\#(position)""# }.joined(separator: ",")
            let names = channels.map { #""\#($0)""# }.joined(separator: ",")
            socket.send(#"{"id":1,"subscribe":[\#(names)],"since":{\#(since)}}"#)
            let answer = try JSONSerialization.jsonObject(with: Data(try await socket.receive().utf8)) as? [String: Any]
            let granted = try #require(answer?["subscribed"] as? [String: [String: Any]])
            let refused = try #require(answer?["errors"] as? [String: [String: Any]])
            #expect(Set(granted.keys) == ["table:7", "order:\(orders[0])"])
            #expect(granted.values.allSatisfy { $0["recovered"] as? Bool == true })
            #expect(Set(refused.keys) == ["order", "table:8", "order:\(orders[1])"])
            #expect(refused.values.allSatisfy { $0["code"] as? String == "forbidden" })

            try await manager.send(.PATCH, "/orders/\(orders[1])", #"{"note":"theirs again"}"#)
            try await manager.send(.DELETE, "/orders/\(orders[0])")
            // What was missed on both channels, then what happens: nothing of the other table in between.
            var heard: [String] = []
            for _ in 0..<4 {
                let text = try await socket.receive()
                let event = try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any]
                let payload = event?["payload"] as? [String: Any]
                #expect(payload?["entity_id"] as? String == orders[0])
                heard.append(event?["event"] as? String ?? "")
            }
            #expect(heard.sorted() == ["deleted", "deleted", "updated", "updated"])
        }
    }
}
