import TestSupport
import Testing
import TidingsQuery
import TidingsWire

@testable import TidingsSync

@Suite("What goes stale by what is heard", .timeLimit(.patience))
struct InvalidationTests {
    private let bench: SyncBench
    private var sync: SyncClient { bench.sync }

    init() throws {
        bench = try SyncBench()
    }

    /// Shows two notes and a list, all of them at version 3 and position 10.
    private func showAll() -> (first: QueryObserver<Note>, second: QueryObserver<Note>, list: QueryObserver<[Note]>) {
        let (first, second) = (bench.observe(sync.note("1")), bench.observe(sync.note("2")))
        let list = bench.observe(sync.notes())
        for request in bench.network.open {
            let id = request.line.hasSuffix("1") ? "1" : "2"
            let note = Note.json(id, "a", 3)
            request.succeed(request.line == "GET /notes" ? "[\(note)]" : note, position: "e:10")
        }
        bench.settle()
        bench.confirm("note", at: 10, isRecovered: true)
        return (first, second, list)
    }

    private func fetches() -> [Int] {
        ["GET /notes/1", "GET /notes/2", "GET /notes"].map { bench.network.count($0) }
    }

    @Test("an event about one entity is about it and the lists, and nothing else")
    func oneEntity() {
        _ = showAll()
        #expect(fetches() == [1, 1, 1])
        bench.tell("note", .updated, ["entity_id": "1", "version": 4], at: 11)
        #expect(fetches() == [2, 1, 2])
    }

    @Test("an event without an entity, and a stale channel, are about everything")
    func everything() {
        _ = showAll()
        bench.tell("note", "imported", ["count": 7], at: 11)
        #expect(fetches() == [2, 2, 2])
        bench.answer("[]", at: 11)
        bench.advance(.seconds(1))
        bench.tell(.stale("note", reason: .backendRestored))
        #expect(fetches() == [3, 3, 3])
    }

    @Test("what is known already is left alone: the details by version, all by position")
    func known() {
        _ = showAll()
        bench.tell("note", .updated, ["entity_id": "1", "version": 3], at: 11)
        #expect(fetches() == [1, 1, 2])
        bench.tell("note", .updated, ["entity_id": "2", "version": 9], at: 10)
        #expect(fetches() == [1, 1, 2])
    }

    @Test("an event that arrives on several channels counts once")
    func severalChannels() {
        _ = showAll()
        let other = BroadcastInvalidation(of: Note.entity.keys.all, on: "note:1", in: sync)
        bench.settle()
        bench.confirm("note:1", at: 10)
        bench.tell("note", .updated, ["entity_id": "1", "version": 4], at: 11)
        bench.answer(Note.json("1", "b", 4))
        bench.advance(.seconds(1))
        bench.tell("note:1", .updated, ["entity_id": "1", "version": 4], at: 11)
        #expect(fetches() == [2, 1, 2])
        withExtendedLifetime(other) {}
    }

    @Test("an event during a fetch is followed by exactly one more, the first load included")
    func duringFetch() {
        _ = showAll()
        bench.tell("note", .updated, ["entity_id": "1", "version": 4], at: 11)
        let third = bench.observe(sync.note("3"))
        for offset in 12...16 as ClosedRange<UInt64> {
            bench.tell("note", .updated, ["entity_id": "1", "version": 5], at: offset)
            bench.tell("note", .updated, ["entity_id": "3", "version": 5], at: offset)
        }
        bench.advance(.seconds(1))
        #expect(fetches()[0] == 2)
        bench.answer(Note.json("1", "b", 4), at: 11)
        #expect(fetches()[0] == 3)
        #expect(bench.network.count("GET /notes/3") == 2)
        bench.answer(Note.json("1", "c", 5), at: 16)
        bench.advance(.seconds(1))
        #expect(fetches()[0] == 3)
        #expect(!third.isStale)
    }

    @Test("a thousand events in a second are a bounded number of fetches, the last one after the last event")
    func burst() throws {
        let (first, _, list) = showAll()
        let before = bench.network.count
        for number in 0..<1_000 as Range<UInt64> {
            bench.tell("note", .updated, ["entity_id": "1", "version": .integer(Int(4 + number))], at: 11 + number)
            for request in bench.network.open {
                request.succeed(request.line == "GET /notes" ? "[]" : Note.json("1", "\(number)", Int(4 + number)))
            }
            bench.advance(.milliseconds(1))
        }
        bench.advance(.milliseconds(100))
        for request in bench.network.open {
            request.succeed(request.line == "GET /notes" ? "[]" : Note.json("1", "last", 1_003), position: "e:1010")
        }
        bench.settle()
        // At most one each 100 ms for the note and for the list, and one after the last event.
        #expect((10...12).contains(bench.network.count("GET /notes/1") - 1))
        #expect((10...12).contains(bench.network.count("GET /notes") - 1))
        #expect(bench.network.count - before <= 24)
        #expect(first.data?.text == "last")
        #expect(!first.isStale && !list.isStale)
        bench.advance(.seconds(10))
        #expect(bench.network.open.isEmpty)
    }

    @Test("what is stale is said to be at once, also while its fetch waits")
    func staleAtOnce() {
        let (first, _, _) = showAll()
        bench.tell("note", .updated, ["entity_id": "1", "version": 4], at: 11)
        bench.answer(Note.json("1", "b", 4), at: 11)
        #expect(!first.isStale)
        bench.tell("note", .updated, ["entity_id": "1", "version": 5], at: 12)
        #expect(first.isStale)
        #expect(!first.isFetching)
        bench.advance(.milliseconds(100))
        #expect(first.isFetching)
    }

    @Test("an entity that is gone is forgotten, and whoever looks at it finds out")
    func deleted() throws {
        let (first, second, _) = showAll()
        second.stop()
        bench.tell("note", .deleted, ["entity_id": "1", "version": 4], at: 11)
        #expect(first.data == nil)
        let request = try #require(bench.network.open.first { $0.line == "GET /notes/1" })
        request.succeed(#"{"code":"not_found","title":"Not Found"}"#, status: 404)
        bench.settle()
        #expect((first.error as? APIError)?.code == .notFound)
        bench.tell("note", .deleted, ["entity_id": "2", "version": 4], at: 12)
        #expect(bench.queries.entries(.exactly(Note.entity.keys.detail("2"))).isEmpty)
        #expect(fetches()[1] == 1)
    }

    @Test("a spread is waited for, except where a change of the user's own is shown")
    func spread() {
        let (first, second, _) = showAll()
        let change = bench.queries.optimisticUpdate(sync.note("2")) { $0.text = "mine" }
        var event = BroadcastEvent(channel: "note", name: "imported")
        event.position = EventPosition(epoch: "e", offset: 11)
        event.spread = .seconds(60)
        bench.tell(event)
        #expect(first.isStale && !first.isFetching)
        #expect(second.isFetching)
        bench.advance(.seconds(60))
        #expect(first.isFetching)
        change.rollback()
    }

    @Test("a debounce waits for quiet, and not for ever")
    func debounce() {
        let observer = bench.observe(Query(key: ["gifts", "1"]) { [network = bench.network] _ in network.count })
        let realtime = RealtimeSync(of: ["gifts"], on: "gift-list:1", debounce: .milliseconds(500), in: sync)
        bench.settle()
        bench.confirm("gift-list:1", at: 1)
        bench.settle()
        let events = QueryEventCounter(bench)
        bench.tell("gift-list:1", .updated, [:], at: 2)
        bench.advance(.milliseconds(499))
        #expect(events.fetches == 0)
        bench.advance(.milliseconds(1))
        #expect(events.fetches == 1)
        for offset in 3...40 as ClosedRange<UInt64> {
            bench.tell("gift-list:1", .updated, [:], at: offset)
            bench.advance(.milliseconds(400))
        }
        // Never quiet for half a second, and fetched after two and a half all the same: at the next event, 2.8 s apart.
        #expect(events.fetches == 1 + 5)
        withExtendedLifetime((observer, realtime)) {}
    }

    @Test("only the events that are asked for count, and a function of one's own takes their place")
    func selected() {
        let log = Log<String>()
        let chosen = RealtimeSync(of: ["gift", "1"], on: "gift:1", events: [.updated, .statusChanged], in: sync)
        let own = RealtimeSync(
            of: ["own"],
            on: "gift:1",
            events: [.created],
            onEvent: { event, queries in
                log.add(event.name.rawValue)
                queries.setData([event.payload.entityID ?? ""], for: Query(key: ["own"]))
            },
            in: sync
        )
        for key in [["gift", "1"], ["own"]] as [QueryKey] { bench.queries.setData(["x"], for: Query(key: key)) }
        func isStale(_ key: QueryKey) -> Bool { bench.queries.entries(.exactly(key)).first?.isInvalidated ?? true }
        bench.settle()
        bench.confirm("gift:1", at: 1)
        for key in [["gift", "1"], ["own"]] as [QueryKey] {
            bench.queries.remove(.exactly(key))
            bench.queries.setData(["x"], for: Query(key: key))
        }
        bench.tell("gift:1", .created, ["entity_id": "7"], at: 2)
        #expect(!isStale(["gift", "1"]))
        #expect(bench.queries.data(of: Query<[String]>(key: ["own"])) == ["7"])
        bench.tell("gift:1", .updated, [:], at: 3)
        #expect(isStale(["gift", "1"]))
        #expect(!isStale(["own"]))
        bench.tell(.stale("gift:1", reason: .gap))
        #expect(isStale(["own"]))
        #expect(log.entries == ["created"])
        withExtendedLifetime((chosen, own)) {}
    }

    @Test("switched off, what was loading when the server began to tell is said to be stale, and not fetched")
    func switchedOffWhileLoading() throws {
        let gift = sync.query(["gifts", "1"], of: Note.entity, APIRequest(.get, "/gifts/1"), as: Note.self)
        var unbound = gift
        unbound.hold = nil
        let invalidation = BroadcastInvalidation(of: ["gifts"], on: "gift", isEnabled: false, in: sync)
        bench.settle()
        let observer = bench.observe(unbound)
        bench.confirm("gift", at: 9)
        bench.answer(Note.json("1", "a", 1), at: 8)
        bench.advance(.seconds(10))
        #expect(observer.isStale)
        #expect(bench.network.count == 1)
        invalidation.setEnabled(true)
        bench.settle()
        #expect(bench.network.count == 2)
    }

    @Test("switched off, what happens is remembered; switched on again, it is fetched once")
    func switchedOff() {
        let fetched = Log<Int>()
        let observer = bench.observe(
            Query(key: ["orders", "42"]) { _ in
                fetched.add(1)
                return 1
            }
        )
        let invalidation = BroadcastInvalidation(of: ["orders"], on: "order", shape: .bare, isEnabled: false, in: sync)
        bench.settle()
        bench.confirm("order", at: 1)
        #expect(fetched.entries.count == 1)
        for offset in 2...20 as ClosedRange<UInt64> {
            bench.tell("order", .updated, ["entity_id": "42"], at: offset)
            bench.tell("order", .updated, ["entity_id": "43"], at: offset)
        }
        bench.advance(.seconds(1))
        #expect(fetched.entries.count == 1)
        #expect(observer.isStale)
        invalidation.setEnabled(true)
        bench.settle()
        #expect(fetched.entries.count == 2)
        #expect(!observer.isStale)
    }

    @Test("something that is not in the cache hears which entity has changed, or that it missed something")
    func callbacks() {
        let log = Log<String>()
        let broadcast = BroadcastSync(
            on: "order",
            onInvalidate: { log.add("invalidate \($0 ?? "all")") },
            onStale: { log.add("stale") },
            in: sync
        )
        bench.settle()
        bench.confirm("order", at: 1)
        bench.tell("order", .updated, ["entity_id": "42"], at: 2)
        broadcast.setEnabled(false)
        bench.tell("order", .updated, ["entity_id": "42"], at: 3)
        bench.tell(.stale("order", reason: .gap))
        broadcast.setEnabled(true)
        broadcast.setEnabled(true)
        bench.tell(.stale("order", reason: .gap))
        #expect(log.entries == ["invalidate 42", "stale", "stale", "invalidate all", "invalidate all"])
    }

    @Test(
        "keys tell which entity they are about",
        arguments: [
            (EntityKeyShape.detail, ["orders", "detail", "42"], "42"),
            (.detail, ["orders", "detail", 42, "items"], "42"),
            (.detail, ["orders", "list", ["status": "open"]], nil),
            (.detail, ["orders"], nil),
            (.bare, ["orders", "42"], "42"),
            (.bare, ["orders", 42, "items"], "42"),
            (.bare, ["orders"], nil),
            (.bare, ["orders", ["status": "open"]], nil),
            (.whole, ["orders", "detail", "42"], nil),
            (.single, ["settings", "detail"], nil),
        ] as [(EntityKeyShape, QueryKey, String?)]
    )
    func shapes(_ shape: EntityKeyShape, _ key: QueryKey, _ entity: String?) {
        #expect(shape.entity(of: key, under: QueryKey(Array(key.segments.prefix(1)))) == entity)
    }
}

/// Counts the fetches of a client.
private final class QueryEventCounter: Sendable {
    private let log = Log<Int>()

    init(_ bench: SyncBench) {
        let events = bench.queries.events()
        let log = log
        let task = Task(executorPreference: bench.executor) {
            for await event in events {
                if case .fetchStarted = event { log.add(1) }
            }
        }
        _ = task
        bench.settle()
    }

    var fetches: Int { log.entries.count }
}
