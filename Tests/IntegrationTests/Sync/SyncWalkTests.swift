import BistroAPI
import Foundation
import SocketTestSupport
import Synchronization
import TestSupport
import Testing
import TidingsQuerySQLite
import TidingsSync

/// Three clients, one server, and whatever can happen between them: when all is quiet again, and without anybody having
/// asked for it, every client shows what is in the database.
@Suite("A walk of three clients", .timeLimit(.patience))
struct SyncWalkTests {
    /// `SYNC_WALKS=1000` takes more of them, `SYNC_SEED=7` the one that failed.
    private static var seeds: [UInt64] {
        let environment = ProcessInfo.processInfo.environment
        if let seed = environment["SYNC_SEED"].flatMap(UInt64.init) { return [seed] }
        let standard = environment["CI"] == nil ? 20 : 200
        let count = environment["SYNC_WALKS"].flatMap(Int.init) ?? standard
        return (0..<UInt64(count)).map { $0 + 1 }
    }

    @Test("in the end every client shows what is in the database")
    func walk() async throws {
        var seeds = Self.seeds[...]
        try await withThrowingTaskGroup(of: Void.self) { group in
            for seed in seeds.prefix(6) { group.addTask { try await Self.walk(seed) } }
            seeds = seeds.dropFirst(6)
            while try await group.next() != nil {
                if let seed = seeds.popFirst() { group.addTask { try await Self.walk(seed) } }
            }
        }
    }

    private static func walk(_ seed: UInt64) async throws {
        do {
            let walk = try await SyncWalk(seed: seed)
            for _ in 0..<60 { try await walk.step() }
            try await walk.comeToRest()
            try await walk.end()
        } catch {
            Issue.record("SYNC_SEED=\(seed): \(error)")
        }
    }
}

/// The orders that somebody was asked to create and does not know of.
private final class Unanswered: Sendable {
    let orders = Mutex<Set<UUID>>([])
}

/// One walk.
private final class SyncWalk {
    /// What a client of the walk has on its screen.
    private final class Client {
        let screen: SyncScreen
        let lists: [QueryObserver<OrderList>]
        let pages: InfiniteQueryObserver<OrderList, String>
        /// The orders that it has looked at one by one.
        var details: [UUID: QueryObserver<Order>] = [:]
        var forms: [UUID: QueryObserver<Order>] = [:]
        /// The lists that it does not show at the moment.
        var hidden: Set<Int> = []
        /// Somebody else who hears the same channel.
        var listener: BroadcastSync?
        var isPaused = false
        /// What it was asked for and has not come to an end.
        var changes: [Task<Void, any Error>] = []
        /// The orders that it was asked to create and that the server has not said it has.
        let unanswered = Unanswered()
        private let network = ManualMonitor(true)

        /// - Parameters:
        ///   - isPlain: Whether it speaks the dialect without positions.
        ///   - file: Where it keeps what it knows; nil is nowhere.
        init(of port: Int, isPlain: Bool, keepingIn file: String?) async throws {
            let persister = try file.map { try SQLiteQueryPersister(path: $0) }
            let network = network
            let screen = try await SyncScreen(of: port, noticesSilence: true) {
                if isPlain { $0.broadcast.dialects = [.plain] }
                $0.queries.connectivity = network
                $0.queries.persister = persister
            }
            self.screen = screen
            screen.sync.orders.registerMutations()
            let filters = [
                Orders.Filter(sort: "created_at"), .init(status: [.open, .preparing]), .init(table: ["1", "2"]),
            ]
            lists = filters.map { screen.observe(screen.sync.orders.list($0)) }
            pages = InfiniteQueryObserver(screen.sync.orders.pages(.init(limit: 4)), in: screen.sync.queries)
            pages.start()
        }

        var orders: [Order] { lists[0].data?.items ?? [] }

        /// Comes to an end as a program does that is killed: nothing is written any more, and nothing is sent.
        func kill() async {
            network.set(false)
            for change in changes { change.cancel() }
            await screen.end()
        }
    }

    private typealias Change = @Sendable () async throws -> Void

    private var random: SeededGenerator
    private let server: RestaurantServer
    private var clients: [Client] = []
    /// What a client keeps over its end is here.
    private let folder: TemporaryFolder
    private var file: String { folder.file("cache.sqlite") }
    private var isServing = true
    private var created: Set<UUID> = []
    private var log: [String] = []

    init(seed: UInt64) async throws {
        random = SeededGenerator(seed: seed)
        folder = try TemporaryFolder()
        server = try await RestaurantServer()
        try await server.start()
        for table in 1...3 { _ = try await server.openOrder(table: "\(table)") }
        for number in 0..<3 { clients.append(try await makeClient(number)) }
    }

    private func makeClient(_ number: Int) async throws -> Client {
        try await Client(of: server.port, isPlain: number == 2, keepingIn: number == 1 ? file : nil)
    }

    func end() async throws {
        for client in clients { await client.screen.end() }
        try await server.close()
    }

    // MARK: Steps

    func step() async throws {
        let client = clients[Int.random(in: 0..<clients.count, using: &random)]
        switch Int.random(in: 0..<43, using: &random) {
        case 0...8: change(as: client)
        case 9, 10: try await changeElsewhere()
        case 11, 12: lookAt(as: client)
        case 13: client.details.randomElement(using: &random).map { client.details[$0.key] = nil }
        case 14: toggleForm(as: client)
        case 15: client.screen.broadcasts.cut()
        case 16: client.screen.requests.cut()
        case 17: freeze(client)
        case 18:
            client.screen.requests.loseAnswer(
                to: ["POST /orders", "PATCH /orders"].randomElement(using: &random) ?? ""
            )
        case 19: client.screen.broadcasts.halfClose()
        case 20: try await stopOrStart()
        case 21: heal(client)
        case 22: client.screen.requests.delay(by: .milliseconds(Int.random(in: 1...20, using: &random)))
        case 23, 24: showOrHide(client)
        case 25: listenOrNot(client)
        case 26: pauseOrRun(client)
        case 27: try await killAndRestart()
        default: try await breathe()
        }
    }

    /// Lets the network go on: for as long as a few requests take.
    private func breathe() async throws {
        guard isServing else { return await Task.yield() }
        let api = try APIClient(baseURL: "http://127.0.0.1:\(server.port)")
        for _ in 0..<Int.random(in: 1...4, using: &random) {
            // The server may have stopped since this connection was made.
            _ = try? await api.send(APIRequest(.get, "/settings"), as: Settings.self)
        }
    }

    private func change(as client: Client) {
        let (sync, orders) = (client.screen.sync, client.orders)
        let order = orders.randomElement(using: &random)
        switch (Int.random(in: 0..<7, using: &random), order) {
        case (0, _), (_, nil):
            let new = OrderCreate(table: "\(Int.random(in: 1...4, using: &random))")
            created.insert(new.id)
            client.unanswered.orders.withLock { _ = $0.insert(new.id) }
            start(
                sync.orders.create.onSuccess { [unanswered = client.unanswered] _, _, _ in
                    unanswered.orders.withLock { _ = $0.remove(new.id) }
                },
                new,
                client
            )
        case (1, let order?):
            start(sync.orders.update, .init(order.id, OrderUpdate(note: .to("note \(random.next() % 100)"))), client)
        case (2, let order?):
            let table = "\(Int.random(in: 1...4, using: &random))"
            start(sync.orders.update, .init(order.id, OrderUpdate(table: .to(table)), version: order.version), client)
        case (3, let order?):
            guard let next = order.status.transitions.randomElement(using: &random) else { return }
            start(sync.orders.transition, .init(order.id, to: next), client)
        case (4, let order?), (5, let order?):
            start(sync.orders.addItem, .init(to: order.id, OrderItemCreate(name: "Dish \(random.next() % 10)")), client)
        case (_, let order?):
            guard let item = order.items.randomElement(using: &random) else { return }
            start(sync.orders.removeItem, .init(item.id, of: order.id), client)
        }
    }

    /// Begins a change that is made or refused, whatever the network does.
    private func start<Input, Output>(_ mutation: Mutation<Input, Output>, _ input: Input, _ client: Client) {
        let handle = client.screen.sync.queries.start(mutation, input)
        client.changes.append(
            Task {
                do {
                    try await handle.value()
                } catch let error as APIError where [404, 409, 412].contains(error.status ?? 0) {
                    // Somebody else was faster.
                } catch is EntityConflict<Order> {
                    // The same.
                }
            }
        )
    }

    private func changeElsewhere() async throws {
        guard let order = clients[0].orders.randomElement(using: &random) else { return }
        if Int.random(in: 0..<8, using: &random) == 0 {
            created.remove(order.id)
            try? await server.removeOrder(order.id)
        } else {
            try? await server.note("elsewhere \(random.next() % 100)", on: [order.id])
        }
    }

    private func lookAt(as client: Client) {
        guard let order = client.orders.randomElement(using: &random) else { return }
        client.details[order.id] = client.screen.observe(client.screen.sync.orders.detail(order.id))
    }

    private func toggleForm(as client: Client) {
        guard let order = client.orders.randomElement(using: &random) else { return }
        if let form = client.forms.removeValue(forKey: order.id) {
            form.observe(client.screen.sync.orders.detail(order.id))
            client.details[order.id] = form
        } else {
            client.forms[order.id] = client.screen.observe(client.screen.sync.orders.detail(order.id, live: false))
        }
    }

    private func showOrHide(_ client: Client) {
        let number = Int.random(in: 0..<client.lists.count, using: &random)
        if client.hidden.remove(number) != nil {
            client.lists[number].start()
        } else {
            client.hidden.insert(number)
            client.lists[number].stop()
        }
    }

    private func listenOrNot(_ client: Client) {
        let isListening = client.listener != nil
        client.listener = isListening ? nil : BroadcastSync(on: "order", onInvalidate: { _ in }, in: client.screen.sync)
    }

    private func pauseOrRun(_ client: Client) {
        if client.isPaused { client.screen.run() } else { client.screen.pause() }
        client.isPaused.toggle()
    }

    /// The program with a file is killed, and started again. What it had stored it makes, as if nothing had been.
    private func killAndRestart() async throws {
        await clients[1].kill()
        let stored = try await SQLiteQueryPersister(path: file).loadMutations().mutations
        // What it had neither stored nor been told of may be lost with it.
        let known = stored.map { String(decoding: $0.input, as: UTF8.self) }
        for id in clients[1].unanswered.orders.withLock(\.self)
        where !known.contains(where: { $0.contains(id.uuidString) }) {
            created.remove(id)
        }
        clients[1] = try await makeClient(1)
    }

    private func freeze(_ client: Client) {
        client.screen.broadcasts.lose(.everything)
        client.screen.broadcasts.cut()
    }

    private func heal(_ client: Client) {
        client.screen.broadcasts.heal()
        client.screen.requests.heal()
    }

    private func stopOrStart() async throws {
        if isServing {
            try await server.stop()
            if Int.random(in: 0..<4, using: &random) == 0 { try await server.loseHistory() }
        } else {
            try await server.start()
        }
        isServing.toggle()
    }

    // MARK: Rest

    /// All is well again, and all changes come to something.
    func comeToRest() async throws {
        if !isServing { try await stopOrStart() }
        for client in clients {
            heal(client)
            if client.isPaused { pauseOrRun(client) }
            for number in client.hidden { client.lists[number].start() }
            client.hidden = []
        }
        for client in clients { for change in client.changes { try await change.value } }
        try await resumedChangesEnd()
        for client in clients { try await client.screen.connected() }
        let (database, newest) = (try await orders(sort: "created_at"), try await orders(sort: "-created_at"))
        #expect(created.isSubset(of: Set(database.map(\.id))))
        for (number, client) in clients.enumerated() { try await expect(client, shows: database, newest, number) }
    }

    /// What was stored and sent after a restart is made, or refused because somebody else was faster.
    private func resumedChangesEnd() async throws {
        let queries = clients[1].screen.sync.queries
        try await eventually("all changes have come to something") {
            queries.mutations().allSatisfy { !$0.status.isPending }
        }
        for failed in queries.mutations() {
            guard let error = failed.failureReason as? APIError else { continue }
            #expect([404, 409, 412].contains(error.status), "\(failed.name ?? ""): \(error)")
        }
    }

    /// All orders, in an order that also says which of two comes first that were created at the same time.
    private func orders(sort: String) async throws -> [Order] {
        let api = try APIClient(baseURL: "http://127.0.0.1:\(server.port)")
        let request = APIRequest(.get, "/orders", query: [("limit", "200"), ("sort", sort)])
        return try await api.send(request, as: OrderList.self).value.items
    }

    private func expect(
        _ client: Client,
        shows database: [Order],
        _ newest: [Order],
        _ number: Int
    ) async throws {
        let expected = [
            database, newest.filter { [.open, .preparing].contains($0.status) },
            newest.filter { ["1", "2"].contains($0.table) },
        ]
        for (list, orders) in zip(client.lists, expected) {
            try await shows("list of client \(number)", list) { Self.same($0.items, Array(orders.prefix(50))) }
        }
        try await shows("pages of client \(number)", client.pages.observer) { data in
            Self.same(data.pages.flatMap(\.items), Array(newest.prefix(data.pages.count * 4)))
        }
        for (id, detail) in client.details {
            guard let order = database.first(where: { $0.id == id }) else {
                try await eventually("client \(number) says that an order is gone") { detail.isError }
                continue
            }
            try await shows("detail of client \(number)", detail) { $0 == order }
        }
        for (id, form) in client.forms {
            guard let order = database.first(where: { $0.id == id }) else { continue }
            try await eventually("the form of client \(number) is right or says that it is not") {
                form.data == order || form.isStale || form.isError
            }
        }
    }

    private static func same(_ left: [Order], _ right: [Order]) -> Bool {
        Set(left) == Set(right) && left.count == right.count
    }

    private func shows<Value>(
        _ what: String,
        _ observer: QueryObserver<Value>,
        _ condition: (Value) -> Bool
    ) async throws {
        do {
            try await eventually("\(what) is right", within: .seconds(30)) {
                observer.data.map(condition) ?? false
            }
        } catch {
            let info = observer.snapshot
            throw TestFailure(
                "\(error): stale \(info.isStale), \(info.fetchStatus), \(info.status), optimistic "
                    + "\(info.hasOptimisticChanges), error \(info.error.map { "\($0)" } ?? "none")"
            )
        }
    }
}
