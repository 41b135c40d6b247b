import Synchronization
import TestSupport
import Testing
import TidingsQuery
import TidingsWire

@testable import TidingsSync

@Suite("What is known to be out of date stays so until it is fetched", .timeLimit(.patience))
struct MissedMarkTests {
    private let bench: SyncBench
    private var sync: SyncClient { bench.sync }

    init() throws { bench = try SyncBench() }

    private var gifts: Query<[Note]> {
        Query(key: ["gifts"]) { [api = sync.api] in
            try await api.fetch(APIRequest(.get, "/gifts"), as: [Note].self, $0)
        }
    }

    private var gift: Query<Note> {
        Query(key: ["gifts", "1"]) { [api = sync.api] in
            try await api.fetch(APIRequest(.get, "/gifts/1"), as: Note.self, $0)
        }
    }

    /// Puts the text of events into the gift.
    private func patchingGift() -> RealtimeSync {
        RealtimeSync(
            of: ["gifts", "1"],
            on: "gift:1",
            onEvent: { [gift] event, queries in
                queries.updateData(of: gift) { $0.text = event.payload.string("text") ?? "" }
            },
            in: sync
        )
    }

    @Test("an event just before it is switched on again is fetched")
    func enabledInTurn() {
        let shown = bench.observe(gifts)
        bench.answer("[]", at: 1)
        let invalidation = BroadcastInvalidation(of: ["gifts"], on: "gift", isEnabled: false, in: sync)
        bench.settle()
        bench.confirm("gift", at: 1)
        sync.inbox.put(.event(BroadcastEvent(channel: "gift", name: .updated, payload: [:])))
        invalidation.setEnabled(true)
        bench.advance(.seconds(10))
        #expect(bench.network.count == 2)
        withExtendedLifetime((invalidation, shown)) {}
    }

    @Test("who comes and fetches makes up for those who did not")
    func enabledComesBeside() {
        let shown = bench.observe(gifts)
        bench.answer("[]", at: 1)
        let off = BroadcastInvalidation(of: ["gifts"], on: "gift", isEnabled: false, in: sync)
        bench.settle()
        bench.confirm("gift", at: 1)
        bench.tell("gift", .updated, [:], at: 2)
        let on = BroadcastInvalidation(of: ["gifts"], on: "gift", in: sync)
        bench.advance(.seconds(10))
        #expect(bench.network.count == 2)
        withExtendedLifetime((on, off, shown)) {}
    }

    @Test("a function of one's own does not take back that something was missed")
    func onEventClearsMark() throws {
        let observer = bench.observe(gift)
        bench.answer(Note.json("1", "a", 1), at: 1)
        let realtime = patchingGift()
        bench.settle()
        bench.confirm("gift:1", at: 1)
        bench.tell(.stale("gift:1", reason: .gap))
        try #require(bench.network.open.first).fail()
        bench.settle()
        bench.tell("gift:1", .updated, ["text": "b"], at: 9)
        #expect(observer.data?.text == "b")
        #expect(observer.isStale)
        bench.advance(.seconds(10))
        #expect(bench.network.count == 3)
        withExtendedLifetime(realtime) {}
    }

    @Test("a function of one's own does not take back that something was missed, while its fetch fails")
    func onEventWhileFailing() throws {
        let observer = bench.observe(gift)
        bench.answer(Note.json("1", "a", 1), at: 1)
        let realtime = patchingGift()
        bench.settle()
        bench.confirm("gift:1", at: 1)
        bench.tell(.stale("gift:1", reason: .gap))
        bench.sync.inbox.put(.event(BroadcastEvent(channel: "gift:1", name: .updated, payload: ["text": "b"])))
        try #require(bench.network.open.first).fail()
        bench.settle()
        #expect(observer.data?.text == "b")
        #expect(observer.isStale)
        bench.advance(.seconds(10))
        #expect(bench.network.count == 3)
        withExtendedLifetime(realtime) {}
    }

    @Test("a mark that comes while an answer is taken is not lost", arguments: 0..<12)
    func markDuringTake(skipping count: Int) throws {
        let asked = Mutex(Int.min)
        let inject = Mutex<(@Sendable () -> Void)?>(nil)
        let entity = SyncedEntity<Note>(
            "note",
            keys: EntityKeys("notes"),
            channel: "note",
            identifier: { $0.id },
            version: { note in
                let number = asked.withLock { (number: inout Int) -> Int in
                    if number != .min { number += 1 }
                    return number
                }
                if number == count { inject.withLock { $0 }?() }
                return note.version
            }
        )
        let note = bench.observe(sync.detail("1", of: entity, APIRequest(.get, "/notes/1")))
        bench.answer(Note.json("1", "a", 3), at: 10)
        bench.confirm("note", at: 10, isRecovered: true)
        let change = sync.mutation(
            "notes.touch",
            of: entity,
            about: { (id: String) in id },
            show: { _, _ in },
            request: { id, _ in APIRequest(.post, "/notes/1/touch") },
            as: Note.self
        )
        _ = bench.queries.start(change, "1")
        bench.settle()
        inject.withLock {
            $0 = { [sync] in
                sync.queries.invalidate(.exactly(["notes", "detail", "1"]), refetch: .none)
            }
        }
        asked.withLock { $0 = -1 }
        try bench.request("POST /notes/1/touch").succeed(Note.json("1", "mine", 4), position: "e:11")
        bench.advance(.seconds(1))
        let number = asked.withLock { $0 }
        #expect(note.isStale || note.isFetching || number < count)
    }

    @Test("a fetch that is cancelled leaves nothing behind that is not known to be out of date")
    func cancelled() throws {
        let sound = BroadcastSync(on: "note", onInvalidate: { _ in }, in: sync)
        let query = sync.note("1")
        let (queries, executor) = (bench.queries, bench.executor)
        let load = Task(executorPreference: executor) { try await queries.fetch(query) }
        bench.settle()
        bench.answer(Note.json("1", "a", 3), at: 5)
        bench.confirm("note", at: 50)
        bench.advance(.seconds(120))
        let observer = bench.observe(query)
        #expect(observer.isFetching)
        bench.queries.cancel(.exactly(query.key))
        bench.advance(.seconds(1))
        #expect(observer.isFetching || bench.queries.entries(.exactly(query.key))[0].isInvalidated)
        load.cancel()
        withExtendedLifetime(sound) {}
    }

    @Test("what the server said to somebody who has left is not taken for an answer to who comes")
    func lateUpdate() {
        let observer = bench.observe(sync.note("1"))
        bench.answer(Note.json("1", "a", 3), at: 10)
        bench.confirm("note", at: 10, isRecovered: true)
        observer.stop()
        bench.settle()
        observer.start()
        sync.inbox.put(.update("note", .subscribed(at: EventPosition(epoch: "e", offset: 10), isRecovered: true)))
        bench.settle()
        #expect(bench.subscriptions.count == 2)
    }

    @Test("a server without positions need not say that what was loaded before may be out of date")
    func nothingSaid() {
        let observer = bench.observe(sync.note("1"))
        bench.answer(Note.json("1", "a", 3), at: 7)
        #expect(bench.subscriptions == [.init(channel: "note", since: "e:7")])
        // The connection was lost in between, and the one that answers was not told of the position.
        bench.confirm("note")
        #expect(observer.isFetching)
        #expect(bench.network.count == 2)
    }
}
