import ArgumentParser
import BistroAPI
import Foundation
import Logging
import Synchronization
import TidingsSync

/// How long it takes from a change to the screens that show it: the user's own, and somebody else's.
@main
struct SyncBench: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "sync-bench",
        abstract: "Measure how long a change takes to the screens that show it."
    )

    @Option(help: "Where the restaurant is.")
    var url = "http://127.0.0.1:8080"

    @Option(help: "How many changes of single orders are made.")
    var changes = 1_000

    @Option(help: "How many changes are made while lists are shown.")
    var listChanges = 200

    @Option(help: "How many orders are changed, one after the other.")
    var orders = 20

    func run() async throws {
        let writer = try Screen(url)
        let reader = try Screen(url)
        let identifiers = try await open(by: writer)
        try await measure("an order", count: changes, identifiers, writer, reader) { screen, id in
            screen.watch(screen.sync.orders.detail(id)) { $0.note }
        }
        let list = Orders.Filter(table: ["bench"], sort: "created_at", limit: 200)
        try await measure("a list of orders", count: listChanges, identifiers, writer, reader) { screen, id in
            screen.watch(screen.sync.orders.list(list)) { $0.items.first { $0.id == id }?.note }
        }
        for screen in [writer, reader] { await screen.end() }
    }

    private func open(by screen: Screen) async throws -> [UUID] {
        var identifiers: [UUID] = []
        for _ in 0..<max(orders, 1) {
            let order = OrderCreate(table: "bench")
            try await screen.sync.queries.mutate(screen.sync.orders.create, order)
            identifiers.append(order.id)
        }
        return identifiers
    }

    /// Makes changes one after the other, at a pace at which no fetch has to wait for the throttle.
    private func measure(
        _ what: String,
        count: Int,
        _ identifiers: [UUID],
        _ writer: Screen,
        _ reader: Screen,
        _ watch: (Screen, UUID) -> Watched
    ) async throws {
        var (own, confirmed, other) = (Durations(), Durations(), Durations())
        let clock = ContinuousClock()
        let watched = identifiers.map { (writer: watch(writer, $0), reader: watch(reader, $0)) }
        for pair in watched {
            try await pair.writer.loaded()
            try await pair.reader.loaded()
        }
        for number in 0..<count {
            let (id, pair) = (identifiers[number % identifiers.count], watched[number % watched.count])
            let note = "change \(number)"
            let start = clock.now
            let handle = writer.sync.queries.start(writer.sync.orders.update, .init(id, OrderUpdate(note: .to(note))))
            own.add(try await pair.writer.time(of: note) - start)
            async let shown = pair.reader.time(of: note)
            try await handle.value()
            confirmed.add(clock.now - start)
            other.add(try await shown - start)
            try await clock.sleep(until: start + pace(of: watched.count, what))
        }
        print("\(what), \(count) changes")
        print("  request → own screen:               \(own)")
        print("  request → confirmed:                \(confirmed)")
        print("  request → refetched, other client:  \(other)")
    }

    /// Events have an entry fetched at most every 100 ms.
    private func pace(of count: Int, _ what: String) -> Duration {
        what == "an order" ? .milliseconds(150) / count : .milliseconds(150)
    }
}

/// A client and what it shows.
private final class Screen: Sendable {
    let sync: SyncClient
    private let running: Task<Void, Never>

    init(_ url: String) throws {
        let sync = try SyncClient(baseURL: url) { configuration in
            configuration.broadcast.logger = Logger(label: "bench") { _ in SwiftLogNoOpLogHandler() }
        }
        self.sync = sync
        running = Task { await sync.run() }
    }

    func watch<Value>(_ query: Query<Value>, _ note: @escaping @Sendable (Value) -> String?) -> Watched {
        Watched(QueryObserver(query, in: sync.queries), note)
    }

    func end() async {
        running.cancel()
        await running.value
    }
}

/// When what was shown.
private final class Watched: Sendable {
    private struct State {
        var isLoaded = false
        var times: [String: ContinuousClock.Instant] = [:]
        var waiting: [(note: String?, continuation: CheckedContinuation<ContinuousClock.Instant, Never>)] = []
    }

    private let state = Mutex(State())
    private let task = Mutex<Task<Void, Never>?>(nil)

    init<Value>(_ observer: QueryObserver<Value>, _ note: @escaping @Sendable (Value) -> String?) {
        let task = Task { [weak self] in
            for await snapshot in observer.snapshots {
                guard let data = snapshot.data else { continue }
                self?.shows(note(data))
            }
        }
        self.task.withLock { $0 = task }
    }

    deinit {
        task.withLock { $0?.cancel() }
    }

    private func shows(_ note: String?) {
        let now = ContinuousClock.now
        let ready = state.withLock { state in
            state.isLoaded = true
            if let note, state.times[note] == nil { state.times[note] = now }
            let ready = state.waiting.filter { $0.note == nil || $0.note == note }
            state.waiting.removeAll { $0.note == nil || $0.note == note }
            return ready
        }
        for waiter in ready { waiter.continuation.resume(returning: now) }
    }

    func loaded() async throws { _ = await wait(for: nil) { $0.isLoaded ? .now : nil } }

    func time(of note: String) async throws -> ContinuousClock.Instant {
        await wait(for: note) { $0.times.removeValue(forKey: note) }
    }

    private func wait(
        for note: String?,
        _ known: @Sendable (inout State) -> ContinuousClock.Instant?
    ) async -> ContinuousClock.Instant {
        await withCheckedContinuation { continuation in
            let time = state.withLock { state in
                let time = known(&state)
                if time == nil { state.waiting.append((note, continuation)) }
                return time
            }
            if let time { continuation.resume(returning: time) }
        }
    }
}

/// The middle and the end of durations.
private struct Durations: CustomStringConvertible {
    private var all: [Duration] = []

    mutating func add(_ duration: Duration) { all.append(duration) }

    private func text(_ part: Double) -> String {
        let sorted = all.sorted()
        guard let last = sorted.indices.last else { return "-" }
        return String(format: "%.2f ms", sorted[min(last, Int(Double(sorted.count) * part))] / .milliseconds(1))
    }

    var description: String { "median \(text(0.5)), p99 \(text(0.99)), max \(text(1))" }
}
