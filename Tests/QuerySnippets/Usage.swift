import Synchronization
import TidingsQuery
import TidingsQuerySQLite

func fetching(client: QueryClient) async throws {
    // snippet: fetch
    let orders = try await client.fetch(.orders(status: "open"))
    // end
    _ = orders

    // snippet: watch
    for await snapshot in client.snapshots(of: .orders(status: "open")) {
        if let orders = snapshot.data { print("\(orders.count) open") }
        if let error = snapshot.error { print("not up to date: \(error)") }
    }
    // end
}

func changing(client: QueryClient, order: Order) {
    // snippet: data
    let open = Query<[Order]>.orders(status: "open")
    client.setData([order], for: open)
    client.updateData(of: open) { $0.removeAll { $0.status == "paid" } }
    let names = client.data(of: open)?.map(\.name) ?? []
    // end
    _ = names

    // snippet: invalidate
    client.invalidate(["orders"])
    client.invalidate(["orders", "list"], refetch: .none)
    client.invalidate(.order(7))
    client.invalidate(.matching { ($0.baseVersion ?? 0) < 12 })
    // end
}

func waiting(client: QueryClient) async {
    // snippet: finished
    await client.invalidate(["orders"]).finished()
    // end
}

func options(client: QueryClient) {
    // snippet: options
    client.setDefaults(
        QueryOptions {
            $0.staleTime = .minutes(1)
            $0.retry = .times(1)
        }
    )
    client.setDefaults(QueryOptions { $0.staleTime = .infinite }, for: ["orders", "detail"])
    let live = Query.orders(status: "open").with { $0.refetchInterval = .every(.seconds(10)) }
    // end
    _ = live

    // snippet: polling
    let payment = Query.order(7).refetched { $0.data?.status == "open" ? .seconds(2) : nil }
    // end
    _ = payment
}

func observing(client: QueryClient) async {
    // snippet: select
    let count = QueryObserver(.orders(status: "open"), in: client) { $0.count }
    // end
    _ = count

    // snippet: several
    let selected = QueriesObserver([1, 2, 3].map { Query.order($0) }, in: client)
    let total = selected.combined { $0.compactMap(\.data).count }
    // end
    _ = total

    // snippet: several-updates
    for await snapshots in selected.updates {
        print(snapshots.compactMap(\.data).count)
    }
    // end

    // snippet: placeholder
    let orders = QueryObserver(.orders(status: "open"), in: client, placeholder: .previous)
    orders.observe(.orders(status: "paid"))
    // end

    // snippet: pages
    let pages = InfiniteQueryObserver(feed, in: client)
    if pages.hasNextPage { await pages.fetchNextPage() }
    // end
}

func mutating(client: QueryClient) async throws {
    // snippet: mutate
    let order = try await client.mutate(rename, Rename(id: 7, name: "Table 4"))
    // end
    _ = order

    // snippet: attention
    for mutation in client.mutations(named: "orders.rename") where mutation.status == .needsAttention {
        client.retry(mutation.identifier)
    }
    // end
}

func optimistic(client: QueryClient) {
    // snippet: optimistic
    let update = client.optimisticUpdate(.order(7)) { $0.status = "paid" }
    // … when the server has said no:
    update.rollback()
    // end
}

func outside() {
    // snippet: outside
    let online = ManualMonitor(true)
    let inFront = ManualMonitor(true)
    let client = QueryClient(
        .init {
            $0.connectivity = online
            $0.focus = inFront
            $0.bounds = CacheBounds(entries: 2_000, bytes: 50_000_000)
        }
    )
    online.set(false)
    // end
    _ = client
}

func storing(path: String) async throws {
    // snippet: persistence
    let persister = try SQLiteQueryPersister(path: path)
    let client = QueryClient(
        .init {
            $0.persister = persister
            $0.persistence.buster = "2"
        }
    )
    client.register(rename)
    await client.run()
    // end
}

func inspecting(client: QueryClient) async {
    // snippet: events
    for await event in client.events() { print(event) }
    // end
}

// snippet: command-line
func printOpenOrders() async throws {
    let client = QueryClient()
    try await withThrowingTaskGroup(of: Void.self) { group in
        group.addTask { await client.run() }
        group.addTask {
            let query = Query.orders(status: "open").with { $0.refetchInterval = .every(.seconds(10)) }
            for await snapshot in client.snapshots(of: query) { print(snapshot.data?.count ?? 0) }
        }
        try await group.next()
    }
}
// end
