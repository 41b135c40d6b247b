import BistroAPI
import Foundation
import TidingsSync

// snippet: kitchen
func kitchenDisplay(_ sync: SyncClient) async {
    let waiting = sync.orders.list(.init(status: [.open, .preparing], sort: "created_at"))
    for await orders in sync.queries.snapshots(of: waiting) {
        show(orders.data?.items ?? [])
    }
}
// end

// snippet: entry
func takeOrder(table: String, dishes: [String], _ sync: SyncClient) async throws {
    let order = OrderCreate(table: table)
    sync.queries.start(sync.orders.create, order)
    for dish in dishes {
        sync.queries.start(sync.orders.addItem, .init(to: order.id, OrderItemCreate(name: dish)))
    }
}
// end

// snippet: outcome
func serve(_ order: Order, _ sync: SyncClient) async {
    do {
        try await sync.queries.mutate(sync.orders.transition, .init(order.id, to: .served))
    } catch let error as APIError {
        show("Table \(order.table) was not served: \(error.message)")
    } catch {
        show("Table \(order.table) was not served.")
    }
}
// end

// snippet: form
final class OrderForm {
    let order: QueryObserver<Order>
    var draft: Order?
    private let sync: SyncClient

    init(_ id: UUID, _ sync: SyncClient) {
        self.sync = sync
        order = QueryObserver(sync.orders.detail(id, live: false), in: sync.queries)
    }

    func reload() async {
        draft = await order.refetch().data
    }

    func save(_ draft: Order) async throws {
        let changes = OrderUpdate(table: .to(draft.table), note: .to(draft.note))
        do {
            try await sync.queries.mutate(sync.orders.update, .init(draft.id, changes, version: draft.version))
        } catch let conflict as EntityConflict<Order> {
            showConflict(mine: draft, theirs: conflict.current)
        }
    }
}
// end

func banner(_ form: OrderForm) {
    // snippet: banner
    if form.order.isStale {
        showBanner("Somebody has changed this order. Reload?")
    }
    // end
}

// snippet: settings
func settingsPage(_ sync: SyncClient) async throws {
    let settings = try await sync.queries.fetch(sync.settings.detail(live: false))
    let changes = SettingsUpdate(takesOrders: .to(!settings.takesOrders))
    try await sync.queries.mutate(sync.settings.update, .init(changes, version: settings.version))
}
// end

// snippet: kanban
struct KanbanBoard {
    static let columns: [OrderStatus] = [.open, .preparing, .ready, .served]
    let orders: [QueryObserver<OrderList>]
    let sync: SyncClient

    init(_ sync: SyncClient) {
        self.sync = sync
        orders = Self.columns.map { QueryObserver(sync.orders.list(.init(status: [$0])), in: sync.queries) }
    }

    func move(_ order: Order, to column: OrderStatus) {
        sync.queries.start(sync.orders.transition, .init(order.id, to: column))
    }
}
// end

func indicator(_ sync: SyncClient) {
    // snippet: indicator
    let indicator = ConnectionIndicator(sync.broadcast.state, hidesWhenConnected: true)
    if indicator.isVisible { show(indicator.text) }
    // end
}

func fallback(_ sync: SyncClient) -> PollingFallback {
    // snippet: fallback
    let fallback = PollingFallback(of: ["orders"], every: .seconds(10), in: sync)
    // end
    return fallback
}
