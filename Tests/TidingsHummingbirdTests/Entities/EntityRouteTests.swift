import Foundation
import NIOHTTP1
import SocketTestSupport
import TestSupport
import Testing
import TidingsHummingbird

@Suite("The routes of entities", .timeLimit(.patience))
struct EntityRouteTests {
    @Test("one is created, found, changed and deleted")
    func life() async throws {
        try await EntityServer.run { server in
            let id = "0190163d-8694-739b-aea5-966c26f8ad91"
            let created = try await server.send(.POST, "/orders", #"{"id":"\#(id)","table":" 7 "}"#)
            #expect(created.status == 201)
            #expect(created["Location"] == "/orders/\(id)")
            #expect(created["ETag"] == "\"1\"")
            #expect(created.string("table") == "7")
            #expect(created.string("reference") == "ORD-000001")
            #expect(created.object["margin"] == nil)

            let found = try await server.send(.GET, "/orders/\(id)")
            #expect(found.status == 200)
            #expect(found.body == created.body)
            #expect(found["Cache-Control"] == "no-cache")
            #expect(found["Tidings-Position"] == created["Tidings-Position"])
            #expect(try await server.send(.GET, "/orders/\(id)", nil, ("If-None-Match", "\"1\"")).status == 304)

            let changed = try await server.send(.PATCH, "/orders/\(id)", #"{"note":"hot","version":1}"#)
            #expect(changed.status == 200)
            #expect(changed.integer("version") == 2)
            let same = try await server.send(.PATCH, "/orders/\(id)", #"{"note":"hot"}"#)
            #expect(same.status == 200)
            #expect(same.integer("version") == 2)
            #expect(same["Tidings-Position"] == nil)
            let cleared = try await server.send(.PATCH, "/orders/\(id)", #"{"note":null}"#)
            #expect(cleared.object["note"] is NSNull)

            #expect(try await server.send(.DELETE, "/orders/\(id)").status == 204)
            for path in ["/orders/\(id)", "/orders/\(id)/history", "/orders/nonsense"] {
                let gone = try await server.send(.GET, path)
                #expect(gone.status == 404)
                #expect(gone.string("code") == "not_found")
                #expect(gone["Content-Type"] == "application/problem+json")
            }
            #expect(try await server.send(.GET, "/orders").items.isEmpty)
        }
    }

    @Test("what does not fit is refused with its place")
    func invalid() async throws {
        try await EntityServer.run { server in
            let many = try await server.send(
                .POST,
                "/orders",
                #"{"table":"","note":7,"margin":1,"x~/y":1,"version":1}"#
            )
            #expect(many.status == 422)
            #expect(
                many.faults == [
                    "/table length", "/note type", "/margin unknown", "/x~0~1y unknown", "/version read_only",
                ]
            )
            #expect(try await server.send(.POST, "/orders", "{}").faults == ["/table required"])
            for body in ["", "[]", "nonsense", #"{"table":"7""#] {
                let answer = try await server.send(.POST, "/orders", body)
                #expect(answer.status == 400)
            }
            let form = try await server.send(.POST, "/orders", "table=7", ("Content-Type", "text/plain"))
            #expect(form.status == 415)
            let large = #"{"table":"\#(String(repeating: "x", count: 70_000))"}"#
            #expect(try await server.send(.POST, "/orders", large).status == 413)
            let method = try await server.send(.PUT, "/orders", "{}")
            #expect(method.status == 405)
            #expect(method["Allow"] == "GET, POST")
            for query in [
                "limit=0", "limit=201", "sort=margin", "margin=1", "cursor=x", "x=1", "limit=1&limit=2", "a=%",
            ] {
                #expect(try await server.send(.GET, "/orders?\(query)").status == 400, "\(query)")
            }
            #expect(try await server.send(.GET, "/orders").items.isEmpty)
        }
    }

    @Test("a change that is based on another version is refused with the entity as it is")
    func lock() async throws {
        try await EntityServer.run { server in
            let id = try await server.openOrder()
            try await server.send(.PATCH, "/orders/\(id)", #"{"note":"first"}"#)
            let stale = try await server.send(.PATCH, "/orders/\(id)", #"{"note":"second","version":1}"#)
            #expect(stale.status == 409)
            #expect(stale.string("code") == "stale_version")
            let current = try #require(stale.object["current"] as? [String: Any])
            #expect(current["note"] as? String == "first")
            #expect(current["version"] as? Int == 2)
            #expect(current["margin"] == nil)

            let wrongTag = try await server.send(
                .PATCH,
                "/orders/\(id)",
                #"{"note":"x"}"#,
                ("If-Match", "\"1\", W/\"2\"")
            )
            #expect(wrongTag.status == 412)
            #expect(
                try await server.send(.PATCH, "/orders/\(id)", #"{"note":"x"}"#, ("If-Match", "\"2\"")).status == 200
            )
            #expect(try await server.send(.DELETE, "/orders/\(id)", nil, ("If-Match", "\"2\"")).status == 412)
            #expect(try await server.send(.DELETE, "/orders/\(id)", nil, ("If-Match", "*")).status == 204)

            let unlocked = try await server.send(.PATCH, "/settings", #"{"takes_orders":false}"#)
            #expect(unlocked.status == 428)
            let locked = try await server.send(.PATCH, "/settings", #"{"takes_orders":false,"version":1}"#)
            #expect(locked.status == 200)
            #expect(try await server.send(.GET, "/settings").object["takes_orders"] as? Bool == false)
            #expect(try await server.send(.DELETE, "/settings").status == 405)
        }
    }

    @Test("of fifty changes of one version exactly one is made, and of two racing transitions one")
    func races() async throws {
        try await EntityServer.run { server in
            let id = try await server.openOrder()
            let answers = try await withThrowingTaskGroup(of: EntityServer.Answer.self) { group in
                for number in 0..<50 {
                    group.addTask {
                        try await server.send(.PATCH, "/orders/\(id)", #"{"note":"\#(number)","version":1}"#)
                    }
                }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            let won = answers.filter { $0.status == 200 }
            #expect(won.count == 1)
            let note = won.first?.string("note")
            for answer in answers where answer.status != 200 {
                #expect(answer.status == 409)
                #expect((answer.object["current"] as? [String: Any])?["note"] as? String == note)
            }
            async let left = server.send(.POST, "/orders/\(id)/transition", #"{"to":"preparing"}"#)
            async let right = server.send(.POST, "/orders/\(id)/transition", #"{"to":"cancelled"}"#)
            let statuses = try await [left, right].map(\.status).sorted()
            // Preparing and then cancelling is legal, cancelling and then preparing is not.
            let state = try await server.send(.GET, "/orders/\(id)").string("status")
            #expect(state == "cancelled")
            #expect(statuses == [200, 200] || statuses == [200, 409])
            async let again = server.send(.POST, "/orders/\(id)/transition", #"{"to":"ready"}"#)
            #expect(try await again.string("code") == "illegal_transition")
        }
    }

    @Test("states change along their transitions only, whichever way they are changed")
    func states() async throws {
        try await EntityServer.run { server in
            let id = try await server.openOrder()
            let illegal = try await server.send(.POST, "/orders/\(id)/transition", #"{"to":"served"}"#)
            #expect(illegal.status == 409)
            #expect(illegal.string("state") == "open")
            #expect(illegal.object["allowed"] as? [String] == ["preparing", "cancelled"])
            #expect(try await server.send(.PATCH, "/orders/\(id)", #"{"status":"ready"}"#).status == 409)
            #expect(try await server.send(.PATCH, "/orders/\(id)", #"{"status":"eaten"}"#).faults == ["/status choice"])
            #expect(try await server.send(.POST, "/orders/\(id)/transition", "{}").faults == ["/to required"])
            #expect(try await server.send(.PATCH, "/orders/\(id)", #"{"status":"preparing"}"#).status == 200)
            let same = try await server.send(.POST, "/orders/\(id)/transition", #"{"to":"preparing"}"#)
            #expect(same.status == 200)
            #expect(same.integer("version") == 2)
            #expect(
                try await server.send(.POST, "/orders", #"{"table":"7","status":"ready"}"#).faults == [
                    "/status initial_state"
                ]
            )
        }
    }

    @Test("children and actions have routes under their entity")
    func children() async throws {
        try await EntityServer.run { server in
            let id = try await server.openOrder()
            let added = try await server.send(.POST, "/orders/\(id)/items", #"{"name":"Tea","quantity":2}"#)
            #expect(added.status == 201)
            let item = try #require(added.string("id"))
            #expect(added["Location"] == "/orders/\(id)/items/\(item)")
            #expect(added["ETag"] == "\"2\"")
            #expect(
                try await server.send(.POST, "/orders/\(id)/items", #"{"quantity":0}"#).faults == [
                    "/quantity range", "/name required",
                ]
            )
            #expect(
                try await server.send(.PATCH, "/orders/\(id)/items/\(item)", #"{"quantity":3}"#).integer("quantity")
                    == 3
            )
            let order = try await server.send(.GET, "/orders/\(id)")
            #expect(order.integer("version") == 3)
            #expect(order.items.map { $0["quantity"] as? Int } == [3])
            let removed = try await server.send(.DELETE, "/orders/\(id)/items/\(item)")
            #expect(removed.status == 204)
            #expect(removed["ETag"] == "\"4\"")
            #expect(try await server.send(.DELETE, "/orders/\(id)/items/\(item)").status == 404)
            #expect(try await server.send(.GET, "/orders/\(id)/items/\(item)").status == 405)

            let moved = try await server.send(.POST, "/orders/\(id)/move_table", #"{"table":"9"}"#)
            #expect(moved.string("table") == "9")
            #expect(try await server.send(.POST, "/orders/\(id)/move_table", "{}").faults == ["/table required"])

            try await server.send(.POST, "/orders/\(id)/transition", #"{"to":"cancelled"}"#)
            let closed = try await server.send(.POST, "/orders/\(id)/items", #"{"name":"Tea"}"#)
            #expect(closed.status == 409)
            #expect(closed.string("code") == "order_closed")

            let history = try await server.send(.GET, "/orders/\(id)/history?limit=3")
            #expect(
                history.items.map { $0["type"] as? String }
                    == ["order.state.open.cancelled", "order.changed.table", "order.item_removed"]
            )
            let cursor = try #require(history.string("next_cursor"))
            let rest = try await server.send(.GET, "/orders/\(id)/history?cursor=\(cursor)")
            #expect(rest.items.last?["type"] as? String == "order.created")
        }
    }

    @Test("lists are filtered, sorted, and go on where they ended")
    func lists() async throws {
        try await EntityServer.run { server in
            for table in ["3", "1", "2", "1", "5 b"] { _ = try await server.openOrder(table: table) }
            func tables(_ query: String) async throws -> [String] {
                try await server.send(.GET, "/orders?\(query)").items.compactMap { $0["table"] as? String }
            }
            #expect(try await tables("sort=table") == ["1", "1", "2", "3", "5 b"])
            #expect(try await tables("sort=-table&limit=2") == ["5 b", "3"])
            #expect(try await tables("table=1") == ["1", "1"])
            #expect(try await tables("table=1&table=2&sort=table") == ["1", "1", "2"])
            #expect(try await tables("table=5+b") == ["5 b"])
            #expect(try await tables("status=ready").isEmpty)
            var seen: [String] = []
            var query = "sort=table&limit=2"
            repeat {
                let page = try await server.send(.GET, "/orders?\(query)")
                seen += page.items.compactMap { $0["table"] as? String }
                query = page.string("next_cursor").map { "sort=table&limit=2&cursor=\($0)" } ?? ""
            } while !query.isEmpty
            #expect(seen == ["1", "1", "2", "3", "5 b"])
        }
    }

    @Test("a request that comes again is answered as it was the first time, and does nothing")
    func idempotency() async throws {
        try await EntityServer.run { server in
            let key = ("Idempotency-Key", "k-1")
            let first = try await server.send(.POST, "/orders", #"{"table":"7"}"#, key)
            let second = try await server.send(.POST, "/orders", #"{"table":"7"}"#, key)
            #expect(first.status == 201)
            #expect(second.status == 201)
            #expect(first.body == second.body)
            for name in ["ETag", "Location", "Tidings-Position"] { #expect(first[name] == second[name], "\(name)") }
            let other = try await server.send(.POST, "/orders", #"{"table":"8"}"#, key)
            #expect(other.status == 422)
            #expect(other.string("code") == "idempotency_key_reused")
            #expect(try await server.send(.GET, "/orders").items.count == 1)

            let together = try await withThrowingTaskGroup(of: Data.self) { group in
                for _ in 0..<10 {
                    group.addTask {
                        try await server.send(.POST, "/orders", #"{"table":"9"}"#, ("Idempotency-Key", "k-2")).body
                    }
                }
                return try await group.reduce(into: Set<Data>()) { $0.insert($1) }
            }
            #expect(together.count == 1)
            #expect(try await server.send(.GET, "/orders").items.count == 2)
            // What failed is not kept.
            #expect(try await server.send(.POST, "/orders", "{}", ("Idempotency-Key", "k-3")).status == 422)
            #expect(
                try await server.send(.POST, "/orders", #"{"table":"1"}"#, ("Idempotency-Key", "k-3")).status == 201
            )
            #expect(try await server.send(.POST, "/orders", "{}", ("Idempotency-Key", "a b")).status == 400)
        }
    }

    @Test("an event has the answer's position and the sender's name for the change, on each channel")
    func events() async throws {
        try await EntityServer.run { server in
            let id = try await server.openOrder(table: "7 a")
            let socket = try await TestSocket.connect(to: server.server.url, subprotocols: ["tidings.v1"])
            _ = try await socket.receive()
            socket.send(#"{"id":1,"subscribe":["order","order:\#(id)","table:7%20a","table:8"]}"#)
            _ = try await socket.receive()
            let changed = try await server.send(.PATCH, "/orders/\(id)", #"{"table":"8"}"#, ("X-Mutation-ID", "m-1"))
            let position = try #require(changed["Tidings-Position"])
            var channels: Set<String> = []
            for _ in 0..<4 {
                let event = try await socket.receive()
                let object = try #require(try JSONSerialization.jsonObject(with: Data(event.utf8)) as? [String: Any])
                let payload = try #require(object["payload"] as? [String: Any])
                #expect(object["event"] as? String == "updated")
                #expect(object["position"] as? String == position)
                #expect(payload["entity_id"] as? String == id)
                #expect(payload["version"] as? Int == 2)
                #expect(payload["origin"] as? String == "m-1")
                #expect(payload.count == 3)
                if let channel = object["channel"] as? String { channels.insert(channel) }
            }
            #expect(channels == ["order", "order:\(id)", "table:7%20a", "table:8"])
        }
    }
}

// MARK: - Pages of other origins

extension EntityRouteTests {
    @Test("a page of another origin changes nothing, and one that is allowed may read what it needs")
    func origins() async throws {
        try await EntityServer.run(allowedOrigins: ["https://till.example"]) { server in
            let id = try await server.openOrder()
            let foreign = ("Origin", "https://evil.example")
            // A form can send a request without a body, and asks nobody.
            let refused = try await server.send(.DELETE, "/orders/\(id)", nil, foreign)
            #expect(refused.status == 403)
            #expect(refused.string("code") == "forbidden_origin")
            #expect(try await server.send(.GET, "/orders/\(id)").status == 200)
            let allowed = try await server.send(
                .PATCH,
                "/orders/\(id)",
                #"{"note":"x"}"#,
                ("Origin", "https://till.example")
            )
            #expect(allowed.status == 200)
        }
    }

    @Test("what was deleted gives its id to no other")
    func reusedIdentifier() async throws {
        try await EntityServer.run { server in
            let id = "0190163d-8694-739b-aea5-966c26f8ad92"
            let body = #"{"id":"\#(id)","name":"Anna"}"#
            #expect(try await server.send(.POST, "/guests", body).status == 201)
            #expect(try await server.send(.DELETE, "/guests/\(id)").status == 204)
            let again = try await server.send(.POST, "/guests", body)
            #expect(again.status == 409)
            #expect(again.string("code") == "duplicate")
        }
    }

    @Test("a failure of another entity than the one that was asked for shows nothing of it")
    func hiddenFailure() async throws {
        try await EntityServer.run { server in
            let guest = try #require(try await server.send(.POST, "/guests", #"{"name":"Anna"}"#).string("id"))
            let id = try await server.openOrder()
            let failed = try await server.send(.POST, "/orders/\(id)/seat", #"{"guest":"\#(guest)"}"#)
            #expect(failed.status == 409)
            #expect(failed.string("code") == "stale_version")
            #expect(failed.object["current"] == nil)
        }
    }

    @Test("a child's own rules count, too")
    func childRules() async throws {
        try await EntityServer.run { server in
            let id = try await server.openOrder()
            #expect(try await server.send(.POST, "/orders/\(id)/items", #"{"name":"Secret"}"#).status == 403)
            #expect(try await server.send(.GET, "/orders/\(id)").items.isEmpty)
            for number in 1...5 {
                let body = #"{"name":"Tea \#(number)"}"#
                #expect(try await server.send(.POST, "/orders/\(id)/items", body).status == 201)
            }
            let full = try await server.send(.POST, "/orders/\(id)/items", #"{"name":"Tea 6"}"#)
            #expect(full.string("code") == "too_many_children")
        }
    }
}
