import Foundation
import TestSupport
import Testing
import TidingsBroadcast
import TidingsEntities
import TidingsWire

@Suite("Who may hear of entities", .timeLimit(.patience))
struct ChannelPolicyTests {
    @Test("is who may see them on routes", arguments: StoreProvider.all)
    func table(_ provider: StoreProvider) async throws {
        try await provider.run { database in
            let bench = try await Bench(database, Bench.restaurant + [Bill.self])
            let (own, other) = (try await bench.makeOrder(table: "7"), try await bench.makeOrder(table: "8"))
            let gone = try await bench.makeOrder(table: "7")
            try await bench.entities.write { try $0.delete(Order.self, gone.id) }
            let odd = try await bench.makeOrder(table: "a b")
            let waiter = Identity.waiter("7")
            let oddWaiter = Identity.waiter("a b")
            var limited = Identity(subject: "limited")
            limited.channels = ["order:*"]
            let everybody = Identity(subject: "chef")
            let one: (Order) -> String = { "order:\($0.id.text)" }
            let cases: [(Identity, String, Bool)] = [
                (everybody, "order", true), (everybody, "table:7", true), (everybody, one(own), true),
                (everybody, one(gone), false), (everybody, "order:\(UUID().text)", false),
                (everybody, "order:x", false),
                (everybody, "order:\(own.id.uuidString)", false), (everybody, "dish", true),
                (everybody, "settings", true),
                (waiter, "order", false), (waiter, "table:7", true), (waiter, "table:8", false),
                (waiter, "table:", false),
                (waiter, one(own), true), (waiter, one(other), false), (waiter, "dish", true),
                (oddWaiter, "table:a%20b", true), (oddWaiter, one(odd), true),
                (.role("stranger"), "order", false), (.role("stranger"), "table:7", false),
                (.role("stranger"), one(own), false),
                // Tables 7 and 8, but not all of their orders.
                (.role("courier"), "table:7", false), (.role("courier"), one(own), true),
                (.denied("list"), "order", false), (.denied("list"), "table:7", false),
                (.denied("list"), one(own), true),
                (.denied("read"), "order", true), (.denied("read"), one(own), false),
                // The token names channels, and others are not meant.
                (limited, "order", false), (limited, one(own), true),
                // Bills are told on the order's channels too: whoever may hear of both.
                (everybody, "bill", true), (.denied("bills"), "bill", false), (.denied("bills"), one(own), false),
                // Other channels are decided about as before.
                (everybody, "news", true), (everybody, "secrets", false), (waiter, "orders", false),
                (waiter, "tables:7", false),
            ]
            var configuration = BroadcastHub.Configuration()
            configuration.authenticator = Nobody()
            configuration.policy = bench.entities.channelPolicy(
                otherwise: ChannelPolicy(publicChannels: ["news", "order", "order:*"])
            )
            let hub = BroadcastHub(configuration: configuration, logger: .quiet)
            for (identity, name, isAllowed) in cases {
                let listener = try await Listener(hub, as: identity)
                let reply = try await listener.subscribe(ChannelName(name))
                let what: Comment = "\(identity.subject) \(identity.attributes) on \(name)"
                #expect(reply.subscribed.map(\.channel.rawValue) == (isAllowed ? [name] : []), what)
                #expect(reply.refused.map(\.code) == (isAllowed ? [] : [.forbidden]), what)
                try await listener.drop()
            }
            // Where nobody is asked who they are, everybody sees what nobody in particular may see.
            configuration.authenticator = nil
            let open = try await Listener(BroadcastHub(configuration: configuration, logger: .quiet))
            #expect(try await open.subscribe("order", "news", "else").subscribed.count == 3)
        }
    }

    @Test("is nobody while the database cannot be asked")
    func failure() async throws {
        try await StoreProvider.sqlite.run { database in
            let bench = try await Bench(database)
            let order = try await bench.makeOrder()
            var configuration = BroadcastHub.Configuration()
            configuration.policy = bench.entities.channelPolicy()
            let hub = BroadcastHub(configuration: configuration, logger: .quiet)
            await bench.entities.store.close()
            let listener = try await Listener(hub)
            #expect(
                try await listener.subscribe(ChannelName("order:\(order.id.text)")).refused.map(\.code) == [.forbidden]
            )
        }
    }
}

@Suite("What events of entities mean to a client that falls behind")
struct ChannelDeliveryTests {
    @Test("is what is declared; of several kinds on one channel the first counts that is no signal")
    func table() async throws {
        try await StoreProvider.sqlite.run { database in
            let types: [any Entity.Type] = [Order.self, Dish.self, Bill.self]
            let entities = try Entities(types, in: database.store())
            let delivery = entities.channelDelivery { $0 == "feed" ? .snapshot : .signal }
            let expected: [(ChannelName, ChannelDelivery)] = [
                ("order", .signal), ("order:1", .stream), ("table:7", .signal), ("bill", .stream), ("dish:1", .signal),
                ("bill:1", .signal), ("feed", .snapshot), ("feed:1", .signal),
            ]
            for (channel, kind) in expected { #expect(delivery(channel) == kind, "\(channel)") }
        }
    }
}

/// Nobody comes with a token in these tests.
private struct Nobody: Authenticator {
    func identity(of token: String) async throws(AuthenticationError) -> Identity { Identity(subject: token) }
}

/// What an order costs, told where the order is told.
private struct Bill: Entity {
    @Key var id: UUID
    @Field(.references(Order.self)) var orderID: UUID

    static let broadcast = EntityBroadcast<Bill>(
        channels: [.all, .each(\.$orderID, as: "order")],
        delivery: .stream
    )

    static func authorize(_ identity: Identity?, to operation: EntityOperation, _ bill: Bill?) -> Bool {
        identity?.attributes["denied"] != "bills"
    }
}
