import Foundation
import Hummingbird
import Logging
import TidingsBroadcast
import TidingsHummingbird

/// The orders over HTTP. Every change is told on channel `order`, and on that of the single order, after it was
/// committed.
struct OrderRoutes: Sendable {
    let store: OrderStore
    let broadcast: WebSocketBroadcastBackend

    func add(to router: Router<some RequestContext>) {
        let orders = router.group("orders")
        orders.get { _, _ in
            try Response.json(OrderList(items: try await store.list()))
        }
        orders.post { request, _ in
            let order = try await store.create(try await request.json(NewOrder.self))
            await tell("created", of: order)
            return try Response.json(order, status: .created)
        }
        orders.get(":id") { _, context in
            try Response.json(try await store.order(try context.parameters.require("id")))
        }
        orders.patch(":id") { request, context in
            let change = try await request.json(OrderChange.self)
            let (order, changed) = try await store.update(try context.parameters.require("id"), change)
            if changed { await tell("updated", of: order) }
            return try Response.json(order)
        }
        orders.post(":id/items") { request, context in
            let new = try await request.json(NewOrderItem.self)
            let (item, order) = try await store.addItem(new, to: try context.parameters.require("id"))
            await tell("item_added", of: order, item: item.id)
            return try Response.json(item, status: .created)
        }
    }

    /// The change is committed, so its request has succeeded whatever happens here.
    private func tell(_ event: EventName, of order: Order, item: String? = nil) async {
        var hint: [String: JSONValue] = ["entity_id": .string(order.id), "version": .integer(order.version)]
        if let item { hint["item_id"] = .string(item) }
        do {
            let one = try ChannelName("order:\(order.id)")
            let event = BroadcastEvent(channel: "order", name: event, payload: EventPayload(hint))
            try await broadcast.broadcast(event, alsoOn: [one])
        } catch {
            broadcast.hub.logger.error("an event was not broadcast", metadata: ["error": "\(error)"])
        }
    }

    private struct OrderList: Encodable {
        let items: [Order]
    }
}

extension Response {
    fileprivate static func json(_ value: some Encodable, status: HTTPResponse.Status = .ok) throws -> Response {
        Response(
            status: status,
            headers: [.contentType: "application/json", .cacheControl: "no-cache"],
            body: ResponseBody(byteBuffer: ByteBuffer(bytes: try JSONEncoder().encode(value)))
        )
    }
}
