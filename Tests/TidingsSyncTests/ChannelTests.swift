import TestSupport
import Testing
import TidingsQuery
import TidingsWire

@testable import TidingsSync

@Suite("Which channels are heard, and from where on", .timeLimit(.patience))
struct ChannelTests {
    private let bench: SyncBench
    private var sync: SyncClient { bench.sync }

    init() throws {
        bench = try SyncBench()
    }

    private let open = Note.json("1", "open", 1)

    @Test("a channel is asked for from where the first data stands, and nothing is fetched twice")
    func firstLoad() {
        let observer = bench.observe(sync.note("1"))
        #expect(bench.subscriptions.isEmpty)
        bench.answer(open, at: 7)
        #expect(observer.data?.text == "open")
        #expect(bench.subscriptions == [.init(channel: "note", since: "e:7")])
        bench.confirm("note", at: 7, isRecovered: true)
        #expect(bench.network.count == 1)
        #expect(!observer.isStale)
    }

    @Test("without a position, what was fetched before the server told of the channel is fetched once more")
    func withoutPosition() {
        bench.observe(sync.note("1"))
        bench.answer(open)
        #expect(bench.subscriptions == [.init(channel: "note", since: nil)])
        #expect(bench.network.count == 1)
        bench.confirm("note")
        #expect(bench.network.count == 2)
        bench.answer(open)
        bench.interrupt("note")
        #expect(bench.network.count == 2)
        // Such a server cannot say what was missed.
        bench.sync.inbox.put(.update("note", .subscribed(at: nil, isRecovered: false)))
        bench.tell(.stale("note", reason: .gap))
        bench.advance(.seconds(1))
        #expect(bench.network.count == 3)
    }

    @Test("a first load that fails does not keep the channel from being heard")
    func failedLoad() {
        bench.observe(sync.note("1"))
        for request in bench.network.open { request.fail() }
        bench.settle()
        #expect(bench.subscriptions == [.init(channel: "note", since: nil)])
    }

    @Test("a load that was read before the others were, and comes after them, is fetched once more")
    func lateArrival() throws {
        bench.observe(sync.note("1"))
        bench.observe(sync.note("2"))
        let (first, second) = (try #require(bench.network.open.first), try #require(bench.network.open.last))
        second.succeed(Note.json("2", "b", 1), position: "e:9")
        bench.settle()
        bench.confirm("note", at: 9, isRecovered: true)
        #expect(bench.subscriptions == [.init(channel: "note", since: "e:9")])
        first.succeed(open, position: "e:5")
        bench.settle()
        #expect(bench.network.count("GET /notes/1") == 2)
        #expect(bench.network.count("GET /notes/2") == 1)
        bench.answer(open, at: 9)
        #expect(bench.network.count == 3)
    }

    @Test("a load that comes after the others and is as new as the channel is fetched once")
    func lateButNew() throws {
        bench.observe(sync.note("1"))
        bench.observe(sync.note("2"))
        let (first, second) = (try #require(bench.network.open.first), try #require(bench.network.open.last))
        second.succeed(Note.json("2", "b", 1), position: "e:9")
        bench.settle()
        bench.confirm("note", at: 9, isRecovered: true)
        first.succeed(open, position: "e:9")
        bench.settle()
        #expect(bench.network.count == 2)
    }

    @Test("many users share one subscription, which is released with the last")
    func referenceCounting() {
        let observers = [sync.note("1"), sync.note("2")].map { bench.observe($0) }
        let list = bench.observe(sync.notes())
        bench.answer("[]", at: 1)
        #expect(bench.subscriptions.count == 1)
        for observer in observers { observer.stop() }
        bench.settle()
        #expect(bench.released.isEmpty)
        list.stop()
        bench.settle()
        #expect(bench.released == ["note"])
    }

    @Test("who comes back asks from where the channel was left, and fetches only if something happened")
    func comingBack() {
        let observer = bench.observe(sync.note("1"))
        bench.answer(open, at: 7)
        bench.confirm("note", at: 7, isRecovered: true)
        bench.tell("note", .updated, ["entity_id": "2", "version": 9], at: 8)
        observer.stop()
        bench.advance(.seconds(30))
        observer.start()
        bench.settle()
        #expect(bench.subscriptions == [.init(channel: "note", since: "e:7"), .init(channel: "note", since: "e:8")])
        bench.confirm("note", at: 12, isRecovered: true)
        #expect(bench.network.count == 1)
        bench.tell("note", .updated, ["entity_id": "1", "version": 2], at: 10)
        #expect(bench.network.count == 2)
    }

    @Test("of entries that stand at different places, only those are fetched that an event is news to")
    func differentPositions() {
        let first = bench.observe(sync.note("1"))
        bench.answer(open, at: 5)
        bench.confirm("note", at: 5, isRecovered: true)
        first.stop()
        bench.settle()
        let list = bench.observe(sync.notes())
        bench.answer("[]", at: 20)
        // The list is newer than what was left behind, and both are told from there.
        #expect(bench.subscriptions.last == .init(channel: "note", since: "e:5"))
        bench.confirm("note", at: 20, isRecovered: true)
        bench.tell("note", .updated, ["entity_id": "1", "version": 2], at: 12)
        #expect(bench.network.count("GET /notes") == 1)
        #expect(!list.isStale)
        first.start()
        bench.settle()
        #expect(bench.network.count("GET /notes/1") == 2)
    }

    @Test("a channel that could not be recovered makes exactly its entries stale")
    func notRecovered() throws {
        let observer = bench.observe(sync.note("1"))
        let other = bench.observe(Query(key: ["menu"]) { _ in 1 })
        bench.answer(open, at: 7)
        bench.confirm("note", at: 7, isRecovered: true)
        bench.interrupt("note")
        #expect(bench.network.count == 1)
        bench.confirm("note", at: 90)
        var stale = BroadcastEvent.stale("note", reason: .gap)
        stale.position = EventPosition(epoch: "e", offset: 90)
        bench.tell(stale)
        #expect(bench.network.count == 2)
        #expect(observer.isFetching)
        #expect(!other.isFetching)
        bench.answer(open, at: 90)
        #expect(!observer.isStale)
        #expect(bench.network.count == 2)
    }

    @Test("a lost log makes everything stale, whatever its numbers")
    func otherEpoch() {
        bench.observe(sync.note("1"))
        bench.answer(open, at: 700)
        bench.confirm("note", at: 700, isRecovered: true)
        var event = BroadcastEvent(channel: "note", name: .updated, payload: ["entity_id": "1", "version": 2])
        event.position = EventPosition(epoch: "other", offset: 3)
        bench.tell(event)
        #expect(bench.network.count == 2)
    }

    @Test("what could not be fetched is asked for again, ever more seldom, and at once when the server is back")
    func failing() throws {
        let observer = bench.observe(sync.note("1"))
        bench.answer(open, at: 7)
        bench.confirm("note", at: 7, isRecovered: true)
        bench.tell("note", .updated, ["entity_id": "1", "version": 2], at: 8)
        for (failures, ceiling) in [(1, 1), (2, 2), (3, 4)] {
            try #require(bench.network.open.first).fail()
            bench.advance(.milliseconds(ceiling * 499))
            #expect(bench.network.count == 1 + failures)
            bench.advance(.milliseconds(ceiling * 501))
            #expect(bench.network.count == 2 + failures)
        }
        try #require(bench.network.open.first).fail()
        bench.settle()
        #expect(bench.network.open.isEmpty)
        bench.interrupt("note")
        bench.confirm("note", at: 8, isRecovered: true)
        bench.advance(.milliseconds(100))
        bench.answer(open, at: 8)
        #expect(!observer.isStale)
        bench.advance(.seconds(100))
        #expect(bench.network.count == 6)
    }

    @Test("what the server will not give is not asked for again")
    func refused() throws {
        let observer = bench.observe(sync.note("1"))
        try #require(bench.network.open.first).succeed(#"{"code":"not_found","title":"Not Found"}"#, status: 404)
        bench.advance(.seconds(100))
        #expect(bench.network.count == 1)
        #expect(observer.isError)
    }

    @Test("those who listen are told when the server begins to tell of a topic, and when it ends")
    func callbacks() {
        let log = Log<String>()
        var realtime: RealtimeSync? = RealtimeSync(
            of: ["gifts"],
            on: "gift-list:1",
            onSubscribed: { log.add("on") },
            onUnsubscribed: { log.add("off") },
            in: sync
        )
        bench.settle()
        #expect(bench.subscriptions == [.init(channel: "gift-list:1", since: nil)])
        bench.confirm("gift-list:1", at: 1)
        bench.interrupt("gift-list:1")
        bench.confirm("gift-list:1", at: 1, isRecovered: true)
        withExtendedLifetime(realtime) {}
        realtime = nil
        bench.settle()
        #expect(log.entries == ["on", "off", "on", "off"])
        #expect(bench.released == ["gift-list:1"])
    }

    @Test("who wants to know is told of a channel that the server does not tell of")
    func refusedChannel() throws {
        let log = Log<String>()
        let bench = try SyncBench { $0.onRefused = { log.add("\($0): \($1.code.rawValue)") } }
        bench.observe(bench.sync.note("1"))
        bench.answer(open, at: 7)
        bench.sync.inbox.put(.update("note", .refused(WireError(.forbidden, "Not for you."))))
        bench.settle()
        #expect(log.entries == ["note: forbidden"])
    }

    @Test("more events than there is room for become one that says that the channel is stale")
    func bounded() throws {
        let bench = try SyncBench { $0.bufferedEvents = 4 }
        let observers = ["1", "2"].map { bench.observe(bench.sync.note($0)) }
        bench.answer(open, at: 1)
        bench.confirm("note", at: 1, isRecovered: true)
        for offset in 2...20 as ClosedRange<UInt64> {
            var event = BroadcastEvent(channel: "note", name: .updated, payload: ["entity_id": "9"])
            event.position = EventPosition(epoch: "e", offset: offset)
            bench.sync.inbox.put(.event(event))
        }
        bench.settle()
        #expect(observers.map { $0.isFetching } == [true, true])
    }
}

@Suite("A client that is not needed any more", .timeLimit(.patience))
struct LifetimeTests {
    @Test("goes, with everything that it had, though its queries and changes were used")
    func released() throws {
        weak var client: SyncClient?
        do {
            let network = FakeTransport()
            let sync = try SyncClient(baseURL: "http://127.0.0.1:1") { $0.transport = network }
            let observer = QueryObserver(sync.note("1"), in: sync.queries)
            observer.start()
            sync.queries.register(sync.changeNote)
            sync.queries.start(sync.changeNote, NoteChange(id: "1", text: "x")).discard()
            _ = BroadcastInvalidation(of: ["notes"], on: "note", in: sync)
            _ = PollingFallback(of: ["notes"], in: sync)
            observer.stop()
            sync.queries.clear()
            client = sync
        }
        #expect(client == nil)
    }
}
