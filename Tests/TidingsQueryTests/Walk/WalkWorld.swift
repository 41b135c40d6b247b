import TestSupport
import TidingsTesting

@testable import TidingsQuery

/// A server, a client of it that is restarted now and then, and everything in between on its way for as long as chance has
/// it.
final class WalkWorld {
    private let server = WalkServer()
    private let persister = FakePersister()
    private var random: SeededGenerator
    /// Some walks are without mutations, whose end would make up for an event that was lost.
    private let hasMutations: Bool
    /// Some walks cancel and remove. What was given up so is not fetched before there is a reason to.
    private let isDisturbed: Bool
    /// How many entries that nobody watches are kept.
    private let most: Int
    private var process: WalkProcess
    private var elapsed = Duration.zero
    private var lastItem = 0
    /// Events that somebody has learnt of, and when; the client is told later.
    private var learnt: [(key: QueryKey, epoch: QueryEpoch)] = []
    private(set) var complaints: [String] = []

    init(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        hasMutations = !random.once(in: 3)
        isDisturbed = random.once(in: 3)
        most = random.once(in: 3) ? random.number(in: 1...3) : 100
        process = WalkProcess(server, persister: persister, after: elapsed, most: most, confirmed: [])
        self.random = random
        process.begin()
        watchSome()
    }

    private func watchSome() {
        for index in process.watchers.indices where random.once(in: 2) { process.watchers[index].toggle() }
    }

    private var bench: Bench { process.bench }
    private var client: QueryClient { process.bench.client }

    func walk(steps: Int) {
        for _ in 0..<steps {
            step()
            if random.once(in: 2) { bench.settle() } else { bench.executor.step() }
            look()
        }
    }

    private func step() {
        switch random.number(in: 0...15) {
        case 0, 1: server.changeByOthers(&random)
        case 2, 3: deliverEvent()
        case 4, 5: mutate()
        case 6, 7: server.read(&random)
        case 8, 9: server.answerRead(&random)
        case 10: server.decide(&random)
        case 11: server.answerChange(&random)
        case 12: watch()
        case 13: changeConditions()
        case 14: if isDisturbed { disturb() }
        default: ask()
        }
    }

    private func look() {
        complaints += process.complaints() + server.complaints()
    }

    // MARK: What the client is told

    private func deliverEvent() {
        if !learnt.isEmpty, random.once(in: 2) {
            let (key, epoch) = learnt.remove(at: random.number(in: 0...learnt.count - 1))
            client.invalidate(QueryFilter(key: key), asOf: epoch)
        } else if !server.events.isEmpty {
            let key = server.events.remove(at: random.number(in: 0...server.events.count - 1))
            switch random.number(in: 0...4) {
            case 0: learnt.append((key, client.epoch))
            case 1: client.invalidate(.matching { $0.key.starts(with: key) })
            case 2: client.invalidate()
            default: client.invalidate(QueryFilter(key: key))
            }
            // Events by condition find only what is in the cache; what is in storage is known by its key alone.
            if most < 100 { client.invalidate(QueryFilter(key: key)) }
        }
    }

    // MARK: What the user does

    private func mutate() {
        guard hasMutations else { return server.changeByOthers(&random) }
        lastItem += 1
        let map = random.once(in: 4) ? nil : random.number(in: 0...WalkServer.mapCount - 1)
        client.start(process.mutation, WalkServer.Change(item: lastItem, map: map))
    }

    private func watch() {
        process.watchers[random.number(in: 0...process.watchers.count - 1)].toggle()
    }

    private func ask() {
        switch random.number(in: 0...6) {
        case 0: client.refetch()
        case 1:
            let query = process.maps[random.number(in: 0...WalkServer.mapCount - 1)]
            let fetch = bench.begin { [client] in try await client.fetch(query.with { $0.staleTime = .zero }) }
            if random.once(in: 3) { fetch.cancel() }
        case 2, 3: bench.begin { [pages = process.pages] in await pages.fetchNextPage() }
        case 4: settleFailed()
        case 5: restart(isOrderly: random.once(in: 2))
        default: advance()
        }
    }

    /// What failed is tried once more or given up, and so is something that is on its way.
    private func settleFailed() {
        let mutations = client.mutations()
        guard let info = mutations.randomElement(using: &random), info.status != .confirmed else { return }
        guard let sent = server.changes.calls.map(\.question).first(where: { $0.idempotencyKey == info.idempotencyKey })
        else { return }
        if info.status == .needsAttention {
            process.ledger.forget(sent.change)
            server.forgetRefusal(info.idempotencyKey)
            client.retry(info.identifier)
        } else if isDisturbed {
            process.ledger.forget(sent.change)
            server.discarded.insert(info.idempotencyKey)
            // It may have been made already.
            server.events.append(["items"])
            client.discard(info.identifier)
        }
    }

    private func disturb() {
        switch random.number(in: 0...3) {
        case 0: client.cancel()
        case 1: client.cancel(["items", .integer(random.number(in: 0...WalkServer.mapCount - 1))])
        case 2: client.reset(["items", .integer(random.number(in: 0...WalkServer.mapCount - 1))])
        default: client.remove(["items", .integer(random.number(in: 0...WalkServer.mapCount - 1))])
        }
    }

    // MARK: What happens around

    private func changeConditions() {
        switch random.number(in: 0...4) {
        case 0: bench.online.set(false)
        case 1: bench.online.set(true)
        case 2: bench.focus.set(false)
        case 3: bench.focus.set(true)
        default: advance()
        }
    }

    private func advance() {
        let duration = Duration.milliseconds(random.once(in: 4) ? 1_000 : 10)
        bench.clock.advance(by: duration)
        elapsed += duration
    }

    /// The process ends and the next one begins with what was stored. If it does not end in an orderly way, the last changes
    /// were not stored: the next one is told while it begins that it may have missed anything.
    private func restart(isOrderly: Bool) {
        if isOrderly { process.end() }
        elapsed += .seconds(1)
        server.process += 1
        server.events += learnt.map(\.key) + (isOrderly ? [] : [["items"], ["pages"]])
        learnt = []
        let confirmed = isOrderly ? process.stored : []
        process = WalkProcess(server, persister: persister, after: elapsed, most: most, confirmed: confirmed)
        if random.once(in: 2) { watchSome() }
        if random.once(in: 2) { deliverEvents() }
        process.begin()
        watchSome()
    }

    // MARK: The end

    /// Something happens to everything while it is being read, so that no answer knows of it.
    private func changeOnceMore() {
        for query in process.maps where random.once(in: 2) {
            bench.begin { [client] in try await client.fetch(query.with { $0.staleTime = .zero }) }
        }
        if random.once(in: 2) { bench.begin { [pages = process.pages] in await pages.fetchNextPage() } }
        bench.advance(.milliseconds(10))
        server.readAll()
        for _ in 0..<random.number(in: 0...3) { server.changeByOthers(&random) }
        deliverEvents()
        if random.once(in: 2) { bench.begin { [pages = process.pages] in await pages.fetchNextPage() } }
    }

    private func deliverEvents() {
        while !server.events.isEmpty || !learnt.isEmpty { deliverEvent() }
    }

    /// Lets everything arrive that is on its way. Nothing is fetched that the client does not fetch by itself.
    func settle() {
        bench.online.set(true)
        bench.focus.set(true)
        changeOnceMore()
        rest()
        // What was stored has to be as good as what was there.
        restart(isOrderly: true)
        rest()
    }

    private func rest() {
        for _ in 0..<500 {
            bench.advance(.milliseconds(10))
            server.answerAll()
            bench.settle()
            deliverEvents()
            bench.settle()
            look()
            let isBusy = client.isFetching() > 0 || client.isMutating() > 0 || !server.isQuiet
            if !isBusy, server.events.isEmpty { break }
        }
        complaints += process.differences(from: server, isDisturbed: isDisturbed)
    }
}
