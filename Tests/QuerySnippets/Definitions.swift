import TidingsQuery

// snippet: definitions
extension Query where Value == [Order] {
    static func orders(status: String) -> Query {
        Query(key: ["orders", "list", ["status": .string(status)]]) { _ in
            try await ShopServer.orders(status)
        }
    }
}

extension Query where Value == Order {
    static func order(_ id: Int) -> Query {
        Query(key: ["orders", "detail", .integer(id)]) { context in
            let reply = try await ShopServer.order(id)
            context.record(reply.position, as: "position")
            return reply.value
        }
    }
}
// end

// snippet: retry-classified
extension HTTPError: RetryClassified {
    var retryDisposition: RetryDisposition { status >= 500 ? .transient() : .permanent }
}
// end

// snippet: infinite
let feed = InfiniteQuery<FeedPage, Int>(key: ["feed"], mostPages: 10) { cursor, _ in
    try await ShopServer.feed(after: cursor)
} next: { page, _ in
    page.next
}
// end

// snippet: mutation
let rename = Mutation<Rename, Order>("orders.rename") { input, context in
    try await ShopServer.rename(input, key: context.idempotencyKey)
}
.scoped { "order \($0.id)" }
.showing { input, context in
    context.optimisticUpdate(.order(input.id)) { $0.name = input.name }
    context.optimisticUpdate(matching: ["orders", "list"], as: [Order].self) { orders in
        for index in orders.indices where orders[index].id == input.id { orders[index].name = input.name }
    }
}
.onSuccess { order, input, context in
    context.client.setData(order, for: .order(input.id))
}
.onSettled { _, _, context in
    context.client.invalidate(["orders"])
}
// end
