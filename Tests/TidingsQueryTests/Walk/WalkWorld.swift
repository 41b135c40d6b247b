import Synchronization
import TestSupport
import TidingsTesting

@testable import TidingsQuery

/// A server that others change too, and a client of it, with everything in between on its way for as long as chance has
/// it.
final class WalkWorld {
    typealias Items = [Int: Int]

    /// A fetch on its way: the server reads at one moment, the answer arrives at another.
    private struct Request {
        let call: FakeServer<Items>.Call
        var read: Items?
    }

    /// A mutation on its way.
    private struct Change {
        enum Fate {
            case travelling
            case applied
            case refused
        }

        let item: Int
        let call: FakeServer<Int>.Call
        var fate = Fate.travelling
    }

    let bench = Bench()
    private let fetches = FakeServer<Items>()
    private let changes = FakeServer<Int>()
    private let query: Query<Items>
    private let mutation: Mutation<Int, Int>
    let observer: QueryObserver<Items>
    private var random: SeededGenerator
    /// Some walks are without mutations, whose end would make up for an event that was lost.
    private let hasMutations: Bool
    private(set) var truth: Items = [0: 0]
    private var requests: [Request] = []
    private var travelling: [Change] = []
    private var started: [Int] = []
    private var eventsOnTheirWay = 0
    /// Items whose change the client knows to be made: none of them may ever be missing again.
    private let confirmed = Ledger()
    /// Items whose change the client knows to have failed: none of them may ever be there again.
    private let failed = Ledger()
    private var awaiters: [Pending<Items>] = []
    private(set) var complaints: [String] = []

    init(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        hasMutations = !random.once(in: 3)
        self.random = random
        query = fetches.query(["items"]) {
            $0.retry = .times(2, delay: .fixed(.milliseconds(10)))
            $0.staleTime = .infinite
        }
        let (query, changes, confirmed, failed) = (query, changes, confirmed, failed)
        mutation = Mutation<Int, Int> { _, _ in try await changes.request() }
            .onMutate { item, context in context.optimisticUpdate(query) { $0[item] = item } }
            .onSuccess { _, item, _ in confirmed.add(item) }
            .onError { _, item, _ in failed.add(item) }
            .onSettled { _, _, context in context.client.invalidate(["items"]) }
        observer = QueryObserver(query, in: bench.client)
        observer.start()
    }

    func walk(steps: Int) {
        for _ in 0..<steps {
            step()
            if random.once(in: 2) { bench.settle() } else { bench.executor.step() }
            look()
        }
    }

    private func step() {
        notice()
        switch random.number(in: 0...11) {
        case 0: othersChange()
        case 1: deliverEvent()
        case 2, 3: mutate()
        case 4, 5: serverReads()
        case 6, 7: answerFetch()
        case 8, 9: serverDecides()
        case 10: answerChange()
        default: disturb()
        }
    }

    /// What the observer shows has to fit what the client was told.
    private func look() {
        guard let shown = observer.data else { return }
        for item in confirmed.items where shown[item] == nil { complaints.append("lost \(item)") }
        for item in failed.items where shown[item] != nil { complaints.append("kept \(item)") }
        for item in started where shown[item] == nil && !failed.items.contains(item) {
            complaints.append("hid \(item)")
        }
    }

    // MARK: What happens

    private func notice() {
        for call in fetches.calls.dropFirst(requests.count) { requests.append(Request(call: call)) }
        for call in changes.calls.dropFirst(travelling.count) {
            travelling.append(Change(item: started[travelling.count], call: call))
        }
    }

    private func othersChange() {
        truth[0, default: 0] += 1
        eventsOnTheirWay += 1
    }

    private func deliverEvent() {
        guard eventsOnTheirWay > 0 else { return }
        eventsOnTheirWay = 0
        bench.client.invalidate(["items"])
    }

    private func mutate() {
        guard hasMutations else { return othersChange() }
        let item = started.count + 1
        bench.client.start(mutation, item)
        // Its first functions run before anything else happens, so that calls come in the order of items.
        bench.settle()
        started.append(item)
    }

    private func serverReads() {
        let waiting = requests.indices.filter { requests[$0].read == nil && !requests[$0].call.isAnswered }
        guard let index = waiting.randomElement(using: &random) else { return }
        requests[index].read = truth
    }

    private func answerFetch() {
        let waiting = requests.indices.filter { requests[$0].read != nil && !requests[$0].call.isAnswered }
        guard let index = waiting.randomElement(using: &random), let read = requests[index].read else { return }
        if random.once(in: 6) { requests[index].call.fail() } else { requests[index].call.succeed(read) }
    }

    private func serverDecides() {
        let waiting = travelling.indices.filter { travelling[$0].fate == .travelling }
        guard let index = waiting.randomElement(using: &random) else { return }
        if random.once(in: 3) {
            travelling[index].fate = .refused
        } else {
            travelling[index].fate = .applied
            truth[travelling[index].item] = travelling[index].item
        }
    }

    private func answerChange() {
        let waiting = travelling.indices.filter {
            travelling[$0].fate != .travelling && !travelling[$0].call.isAnswered
        }
        guard let index = waiting.randomElement(using: &random) else { return }
        answer(index)
    }

    private func answer(_ index: Int) {
        if travelling[index].fate == .applied {
            travelling[index].call.succeed(1)
        } else {
            travelling[index].call.fail()
        }
    }

    private func disturb() {
        switch random.number(in: 0...6) {
        case 0: bench.client.cancel()
        case 1: bench.client.refetch()
        case 2: awaiters.append(bench.fetch(query.with { $0.staleTime = .zero }))
        case 3: awaiters.randomElement(using: &random)?.cancel()
        case 4:
            bench.online.set(false)
            bench.online.set(true)
        case 5: bench.clock.advance(by: .milliseconds(10))
        default:
            observer.stop()
            observer.start()
        }
    }

    // MARK: The end

    /// Lets everything arrive that is on its way.
    func settle() {
        for _ in 0..<500 {
            bench.advance(.milliseconds(10))
            notice()
            for index in travelling.indices where travelling[index].fate == .travelling {
                travelling[index].fate = .applied
                truth[travelling[index].item] = travelling[index].item
            }
            for index in travelling.indices where !travelling[index].call.isAnswered { answer(index) }
            bench.settle()
            deliverEvent()
            notice()
            for request in requests where !request.call.isAnswered { request.call.succeed(request.read ?? truth) }
            bench.settle()
            look()
            notice()
            let isQuiet =
                bench.client.isFetching() == 0 && bench.client.isMutating() == 0 && eventsOnTheirWay == 0
                && travelling.filter { !$0.call.isAnswered }.isEmpty
            if isQuiet { break }
        }
        // A fetch may have been cancelled by hand, or have failed: what is stale then is fetched once more.
        bench.client.refetch(QueryFilter(isStale: true))
        bench.settle()
        for call in fetches.calls where !call.isAnswered { call.succeed(truth) }
        bench.settle()
    }
}

/// Items that something is known of.
private final class Ledger: Sendable {
    private let state = Mutex<Set<Int>>([])

    var items: Set<Int> { state.withLock { $0 } }
    func add(_ item: Int) { state.withLock { _ = $0.insert(item) } }
}
