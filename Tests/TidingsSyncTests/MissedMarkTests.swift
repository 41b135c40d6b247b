import Synchronization
import Testing
import TidingsQuery
import TidingsWire

@testable import TidingsSync

@Suite("What is known to be out of date stays so until it is fetched", .timeLimit(.minutes(1)))
struct MissedMarkTests {
    private let bench: SyncBench
    private var sync: SyncClient { bench.sync }

    init() throws { bench = try SyncBench() }

    private func request(_ line: String) throws -> FakeTransport.Request {
        try #require(bench.network.open.first { $0.line == line })
    }

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
}
