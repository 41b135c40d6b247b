import Synchronization
import TestSupport

@testable import TidingsQuery

#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

/// One process of the client: what it watches, and what it was told of its own changes.
final class WalkProcess {
    typealias Items = WalkServer.Items
    typealias Change = WalkServer.Change

    /// What is known of the client's own changes, written by their functions.
    final class Ledger: Sendable {
        private struct State {
            var shown: Set<Change> = []
            var confirmed: Set<Change> = []
            var failed: Set<Change> = []
        }

        private let state = Mutex(State())

        /// Their optimistic changes were made, and they have not failed.
        var shown: Set<Change> { state.withLock(\.shown) }
        /// None of them may ever be missing again.
        var confirmed: Set<Change> { state.withLock(\.confirmed) }
        /// None of them may ever be there again, unless it is tried once more.
        var failed: Set<Change> { state.withLock(\.failed) }

        init(confirmed: Set<Change> = []) { state.withLock { $0.confirmed = confirmed } }

        func show(_ change: Change) { state.withLock { _ = $0.shown.insert(change) } }
        func confirm(_ change: Change) { state.withLock { _ = $0.confirmed.insert(change) } }

        func fail(_ change: Change) {
            state.withLock { state in
                state.shown.remove(change)
                state.failed.insert(change)
            }
        }

        /// It is tried once more, or was given up.
        func forget(_ change: Change) {
            state.withLock { state in
                state.shown.remove(change)
                state.failed.remove(change)
            }
        }
    }

    /// Something that can be switched on and off.
    struct Watcher {
        let start: () -> Void
        let stop: () -> Void
        var isOn = false

        mutating func toggle() {
            isOn ? stop() : start()
            isOn.toggle()
        }
    }

    let bench: Bench
    private var running: Pending<Void>?
    let ledger: Ledger
    let mutation: Mutation<Change, Int>
    let maps: [Query<Items>]
    let plain: [QueryObserver<Items>]
    let counts: [QueryObserver<Int>]
    let several: QueriesObserver<Items>
    let pages: InfiniteQueryObserver<WalkServer.Page, Int>
    var watchers: [Watcher] = []

    init(_ server: WalkServer, persister: FakePersister, after elapsed: Duration, most: Int, confirmed: Set<Change>) {
        let bench = Bench(startDate: Bench.start.addingTimeInterval(elapsed / .seconds(1))) {
            $0.persister = persister
            $0.bounds = CacheBounds(entries: most)
            $0.defaults.staleTime = .infinite
            $0.defaults.retry = .times(1_000, delay: .fixed(.milliseconds(10)))
        }
        let ledger = Ledger(confirmed: confirmed)
        let (lines, process) = ((server.maps, server.pages, server.changes), server.process)
        let maps = (0..<WalkServer.mapCount).map { map in
            Query<Items>(key: ["items", .integer(map)]) { _ in try await lines.0.ask(map) }
        }
        mutation = Mutation<Change, Int>("walk.put") { change, context in
            let sent = WalkServer.Sent(change: change, idempotencyKey: context.idempotencyKey, process: process)
            return try await lines.2.ask(sent)
        }
        .scoped { change in change.map.map { "map \($0)" } }
        .onMutate { change, context in
            if let map = change.map {
                context.optimisticUpdate(maps[map]) { $0[change.item] = change.item }
            } else {
                context.optimisticUpdate(matching: ["items"], as: Items.self) { $0[change.item] = change.item }
            }
            ledger.show(change)
        }
        .onSuccess { _, change, _ in ledger.confirm(change) }
        .onError { _, change, _ in ledger.fail(change) }
        .onSettled { _, change, context in
            context.client.invalidate(change.map.map { .exactly(["items", .integer($0)]) } ?? ["items"])
        }
        let feed = InfiniteQuery<WalkServer.Page, Int>(key: ["pages"]) { cursor, _ in
            try await lines.1.ask(cursor ?? 0)
        } next: { page, _ in
            page.next
        }
        let client = bench.client
        client.register(mutation)
        plain = maps.map { QueryObserver($0, in: client) }
        counts = maps.map { QueryObserver($0, in: client) { $0.count } }
        several = QueriesObserver(maps, in: client)
        pages = InfiniteQueryObserver(feed, in: client)
        (self.bench, self.ledger, self.maps) = (bench, ledger, maps)
        let (several, pages) = (several, pages)
        watchers = plain.map { observer in Watcher(start: { observer.start() }, stop: { observer.stop() }) }
        watchers += counts.map { observer in Watcher(start: { observer.start() }, stop: { observer.stop() }) }
        watchers.append(Watcher(start: { several.start() }, stop: { several.stop() }))
        watchers.append(Watcher(start: { pages.start() }, stop: { pages.stop() }))
    }

    /// Gives the client time. Until then it does not know what is stored, unless somebody watches.
    func begin() {
        running = bench.begin { [client = bench.client] in await client.run() }
    }

    /// What was confirmed and is in the data that will be stored. What is in storage only, and out of date, knows nothing
    /// of it.
    var stored: Set<Change> {
        ledger.confirmed.filter { change in
            change.map.map { bench.client.baseData(of: maps[$0])?[change.item] != nil } ?? false
        }
    }

    /// Ends in an orderly way.
    func end() {
        running?.cancel()
        bench.settle()
    }

    // MARK: What is shown

    /// What observers show has to fit what the client was told, and each other.
    func complaints() -> [String] {
        var found: [String] = []
        let together = several.snapshots
        for map in maps.indices {
            let shown = plain[map].data
            if together[map].data != shown { found.append("several show another map \(map)") }
            if counts[map].data != shown?.count { found.append("map \(map) is counted otherwise") }
            guard let shown else { continue }
            for (name, changes, isThere) in [
                ("lost", ledger.confirmed, true), ("hid", ledger.shown, true), ("kept", ledger.failed, false),
            ] {
                // A change of all maps is one of those that were there when it was made.
                for change in changes where change.map == map && (shown[change.item] != nil) != isThere {
                    found.append("\(name) \(change.item) in map \(map)")
                }
            }
        }
        return found
    }

    /// At rest, what is watched is the truth, and what is not is the truth or known to be out of date.
    ///
    /// - Parameter isDisturbed: Whether fetches were cancelled and entries removed, which makes up for nothing.
    func differences(from server: WalkServer, isDisturbed: Bool) -> [String] {
        var found: [String] = []
        func check<Value: Equatable>(_ key: QueryKey, _ data: Value?, _ truth: Value) {
            guard let info = bench.client.entries(.exactly(key)).first else { return }
            if info.hasOptimisticChanges { found.append("\(key) has changes that nobody settles") }
            if info.fetchStatus != .idle { found.append("\(key) is \(info.fetchStatus)") }
            if data == truth { return }
            let isExcused = !info.hasData || info.isInvalidated
            if !isExcused || (info.isActive && !isDisturbed) { found.append("\(key) is not the truth") }
        }
        for map in maps.indices {
            check(["items", .integer(map)], bench.client.data(of: maps[map]), server.truth[map])
        }
        check(["pages"], pages.pages, server.firstPages(pages.pages.count))
        if bench.client.isMutating() > 0 { found.append("mutations are under way") }
        return found
    }
}
