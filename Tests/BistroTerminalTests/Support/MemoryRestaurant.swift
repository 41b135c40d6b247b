import BistroAPI
import Foundation
import Synchronization
import TidingsSync

/// A restaurant's server in memory: it knows the requests that the commands send, and can be slow, broken or away.
final class MemoryRestaurant: HTTPTransport {
    private struct State {
        var orders: [Order] = []
        var requests: [String] = []
        var refusals: [(prefix: String, answer: Refusal)] = []
        var held: String?
        var waiting: [CheckedContinuation<Void, Never>] = []
    }

    /// How a request fails.
    enum Refusal: Sendable {
        case unreachable
        case problem(Int, String, String)
    }

    let menu: [MenuItem]
    private let state = Mutex(State())

    init(orders: [Order] = [], menu: [MenuItem] = [.test("Burger"), .test("Lemonade")]) {
        self.menu = menu
        state.withLock { $0.orders = orders }
    }

    /// A client of it, which hears nothing of what others do.
    func client() throws -> SyncClient {
        try SyncClient(baseURL: "http://bistro.test") { [self] configuration in
            configuration.transport = self
            configuration.queries.defaults.retry = .never
        }
    }

    var orders: [Order] { state.withLock(\.orders) }
    var requests: [String] { state.withLock(\.requests) }

    /// Somebody else changes an order.
    func change(_ order: Order) {
        state.withLock { state in
            for index in state.orders.indices where state.orders[index].id == order.id { state.orders[index] = order }
        }
    }

    func delete(_ id: UUID) { state.withLock { $0.orders.removeAll { $0.id == id } } }

    /// Fails all requests that begin so, such as `POST /orders`.
    func refuse(_ prefix: String, _ answer: Refusal) { state.withLock { $0.refusals.append((prefix, answer)) } }

    /// Answers again.
    func accept() { state.withLock { $0.refusals = [] } }

    /// Keeps requests that begin so waiting.
    func hold(_ prefix: String) { state.withLock { $0.held = prefix } }

    /// Lets them go.
    func release() {
        let waiting = state.withLock { state in
            defer { (state.held, state.waiting) = (nil, []) }
            return state.waiting
        }
        for continuation in waiting { continuation.resume() }
    }

    func send(_ request: HTTPRequest, body: [UInt8], mostBytes: Int) async throws -> HTTPTransportAnswer {
        let name = "\(request.method.rawValue) \(request.path ?? "")"
        await pass(name)
        let refusal = state.withLock { state in
            state.requests.append(name)
            return state.refusals.first { name.hasPrefix($0.prefix) }?.answer
        }
        switch refusal {
        case .unreachable: throw APIError(.unreachable, "The server cannot be reached, or the connection was lost.")
        case .problem(let status, let code, let detail): return try Self.problem(status, code, detail)
        case nil: return try answer(request, body)
        }
    }

    private func pass(_ name: String) async {
        await withCheckedContinuation { continuation in
            let isHeld = state.withLock { state in
                guard let held = state.held, name.hasPrefix(held) else { return false }
                state.waiting.append(continuation)
                return true
            }
            if !isHeld { continuation.resume() }
        }
    }
}

// MARK: - What it does

extension MemoryRestaurant {
    private func answer(_ request: HTTPRequest, _ body: [UInt8]) throws -> HTTPTransportAnswer {
        let url = URL(string: "http://bistro.test" + (request.path ?? ""))
        let parts = (url?.path() ?? "").split(separator: "/").map(String.init)
        let id = parts.dropFirst().first.flatMap { UUID(uuidString: $0) }
        switch (request.method, parts.first, parts.count) {
        case (.get, "menu_items", 1): return try Self.answer(MenuItemList(items: menu, nextCursor: nil))
        case (.get, "orders", 1): return try Self.answer(OrderList(items: list(url?.query() ?? ""), nextCursor: nil))
        case (.post, "orders", 1): return try create(body)
        default: return try state.withLock { try Self.answer(request, parts, body, id, &$0.orders) }
        }
    }

    private func list(_ query: String) -> [Order] {
        let tables = query.split(separator: "&").filter { $0.hasPrefix("table=") }.map { String($0.dropFirst(6)) }
        let states = query.split(separator: "&").filter { $0.hasPrefix("status=") }.map { String($0.dropFirst(7)) }
        return orders.filter { order in
            (tables.isEmpty || tables.contains(order.table))
                && (states.isEmpty || states.contains(order.status.rawValue))
        }
    }

    private func create(_ body: [UInt8]) throws -> HTTPTransportAnswer {
        let input = try JSONDecoder().decode(OrderCreate.self, from: Data(body))
        return try state.withLock { state in
            let order = Order(
                id: input.id,
                reference: "ORD-00000\(state.orders.count + 1)",
                table: input.table,
                note: input.note,
                status: .open,
                version: 1,
                createdAt: noon,
                updatedAt: noon,
                items: []
            )
            state.orders.append(order)
            return try Self.answer(order)
        }
    }

    private struct Change: Decodable {
        var version: Int?
        var to: OrderStatus?
    }

    private static func answer(
        _ request: HTTPRequest,
        _ parts: [String],
        _ body: [UInt8],
        _ id: UUID?,
        _ orders: inout [Order]
    ) throws -> HTTPTransportAnswer {
        guard let index = orders.firstIndex(where: { $0.id == id }) else {
            return try problem(404, "not_found", "There is no such order.")
        }
        let order = orders[index]
        let change = try? JSONDecoder().decode(Change.self, from: Data(body))
        switch (request.method, parts.count) {
        case (.get, 2): return try answer(order)
        case (.patch, 2):
            guard change?.version == nil || change?.version == order.version else {
                return try problem(409, "stale_version", "The order has changed meanwhile.", current: order)
            }
            orders[index] = try patched(order, body)
            return try answer(orders[index])
        case (.post, 3) where parts[2] == "transition":
            guard let status = change?.to, order.status.transitions.contains(status) else {
                return try problem(409, "illegal_transition", "That cannot be.", current: order)
            }
            orders[index] = order.changed(status: status)
            return try answer(orders[index])
        default:
            var items = order.items
            var answer = try changeItems(request.method, parts, body, &items)
            orders[index] = order.changed(items: items)
            if request.method != .delete { answer.head.headerFields[.eTag] = "\"\(orders[index].version)\"" }
            return answer
        }
    }

    private static func patched(_ order: Order, _ body: [UInt8]) throws -> Order {
        let update = try JSONDecoder().decode(OrderUpdate.self, from: Data(body))
        var new = order
        update.table.apply(to: &new.table)
        update.note.apply(to: &new.note)
        update.status.apply(to: &new.status)
        return new == order ? order : new.changed()
    }

    private static func changeItems(
        _ method: HTTPRequest.Method,
        _ parts: [String],
        _ body: [UInt8],
        _ items: inout [OrderItem]
    ) throws -> HTTPTransportAnswer {
        if method == .post {
            let input = try JSONDecoder().decode(OrderItemCreate.self, from: Data(body))
            items.append(OrderItem(id: input.id, name: input.name, quantity: input.quantity))
            return try answer(items[items.count - 1])
        }
        guard let index = items.firstIndex(where: { $0.id.uuidString.lowercased() == parts.last }) else {
            return try problem(404, "not_found", "There is no such item.")
        }
        if method == .delete {
            items.remove(at: index)
            return HTTPTransportAnswer(head: HTTPResponse(status: .noContent))
        }
        let update = try JSONDecoder().decode(OrderItemUpdate.self, from: Data(body))
        update.quantity.apply(to: &items[index].quantity)
        return try answer(items[index])
    }

    private static func answer(_ value: some Encodable, status: Int = 200) throws -> HTTPTransportAnswer {
        let encoder = JSONEncoder()
        encoder.dateEncodingStrategy = .iso8601
        return HTTPTransportAnswer(
            head: HTTPResponse(status: .init(code: status)),
            body: Array(try encoder.encode(value))
        )
    }

    private struct Problem: Encodable {
        var code: String
        var detail: String
        var current: Order?
    }

    private static func problem(
        _ status: Int,
        _ code: String,
        _ detail: String,
        current: Order? = nil
    ) throws -> HTTPTransportAnswer {
        try answer(Problem(code: code, detail: detail, current: current), status: status)
    }
}
