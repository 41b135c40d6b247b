#if canImport(SwiftUI)
import SwiftUI
import TidingsQuery

// snippet: view
struct OrdersView: View {
    @State private var orders: QueryObserver<[Order]>
    @State private var renaming: MutationObserver<Rename, Order>

    init(client: QueryClient) {
        _orders = State(initialValue: QueryObserver(.orders(status: "open"), in: client))
        _renaming = State(initialValue: MutationObserver(rename, in: client))
    }

    var body: some View {
        List(orders.data ?? []) { order in
            Button(order.name) { renaming.start(Rename(id: order.id, name: "Table 4")) }
        }
        .overlay { if orders.isLoading { ProgressView() } }
        .refreshable { await orders.refetch() }
        .task { await orders.run() }
    }
}
// end

// snippet: app
struct ShopView: View {
    let client: QueryClient
    let inFront: ManualMonitor
    @Environment(\.scenePhase) private var scenePhase

    var body: some View {
        OrdersView(client: client)
            .task { await client.run() }
            .onChange(of: scenePhase) { inFront.set(scenePhase == .active) }
    }
}
// end
#endif
