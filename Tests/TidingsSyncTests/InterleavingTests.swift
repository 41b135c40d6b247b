import Foundation
import HTTPTypes
import TestSupport
import Testing
import TidingsQuery
import TidingsWire

@testable import TidingsClient
@testable import TidingsHTTPTransport
@testable import TidingsSync

@Suite("What must not be missed, whatever comes in between", .timeLimit(.patience))
struct InterleavingTests {
    private let bench: SyncBench
    private var sync: SyncClient { bench.sync }

    init() throws {
        bench = try SyncBench()
    }

    private let open = Note.json("1", "open", 1)

    private func position(_ offset: UInt64) -> EventPosition { EventPosition(epoch: "e", offset: offset) }

    @Test("who comes back to a channel that somebody else held meanwhile sees what happened meanwhile")
    func channelHeldByOthers() {
        let sound = BroadcastSync(on: "note", onInvalidate: { _ in }, in: sync)
        bench.settle()
        let observer = bench.observe(sync.note("1"))
        bench.answer(open, at: 7)
        bench.confirm("note", at: 7)
        let before = bench.network.count
        observer.stop()
        bench.settle()
        bench.tell("note", .updated, ["entity_id": "1", "version": 2], at: 8)
        bench.advance(.seconds(30))
        observer.start()
        bench.advance(.seconds(1))
        #expect(bench.network.count == before + 1)
        withExtendedLifetime(sound) {}
    }

    @Test("the answer to an own change does not take back that somebody else's is missing: a form")
    func answerClearsMarkOfForm() throws {
        let form = bench.observe(sync.note("1").live(false))
        bench.answer(Note.json("1", "a", 3), at: 10)
        bench.confirm("note", at: 10, isRecovered: true)
        _ = bench.queries.start(sync.changeNote, NoteChange(id: "1", text: "mine", basedOn: 3))
        bench.settle()
        // Somebody else was next: version 5. Its event overtakes the answer with version 4.
        bench.tell("note", .updated, ["entity_id": "1", "version": 5], at: 12)
        #expect(form.isStale)
        try bench.request("PATCH /notes/1").succeed(Note.json("1", "mine", 4))
        bench.advance(.seconds(1))
        #expect(form.isStale)
    }

    @Test("the answer to an own change does not take back that somebody else's is missing: a display")
    func answerClearsMarkOfDisplay() throws {
        bench.observe(sync.note("1"))
        bench.answer(Note.json("1", "a", 3), at: 10)
        bench.confirm("note", at: 10, isRecovered: true)
        bench.tell("note", .updated, ["entity_id": "1", "version": 4], at: 11)
        try bench.request("GET /notes/1").succeed(Note.json("1", "b", 4), position: "e:11")
        bench.settle()
        _ = bench.queries.start(sync.changeNote, NoteChange(id: "1", text: "mine", basedOn: 4))
        bench.settle()
        // Within the throttle's 100 ms: own version 5, somebody else's version 6, whose event comes first.
        bench.tell("note", .updated, ["entity_id": "1", "version": 6], at: 13)
        try bench.request("PATCH /notes/1").succeed(Note.json("1", "mine", 5))
        bench.settle()
        bench.advance(.seconds(10))
        #expect(bench.network.count("GET /notes/1") == 3)
    }

    @Test("an event that comes first on a channel whose user is switched off is fetched for the other's user")
    func seenByDisabled() {
        bench.observe(sync.note("1"))
        bench.answer(open, at: 7)
        bench.confirm("note", at: 7, isRecovered: true)
        let off = BroadcastInvalidation(of: Note.entity.keys.all, on: "note:1", isEnabled: false, in: sync)
        bench.settle()
        bench.confirm("note:1", at: 7, isRecovered: true)
        bench.tell("note:1", .updated, ["entity_id": "1", "version": 2], at: 8)
        bench.tell("note", .updated, ["entity_id": "1", "version": 2], at: 8)
        bench.advance(.seconds(10))
        #expect(bench.network.count == 2)
        withExtendedLifetime(off) {}
    }

    @Test("a channel that was left before the server told of it is known up to nowhere")
    func leftBeforeConfirmed() throws {
        let queries = bench.queries
        for (id, position) in [("1", "e:7"), ("2", "old:500"), ("3", "e:7")] {
            let query = sync.note(id)
            let fetching = Task(executorPreference: bench.executor) { try await queries.fetch(query) }
            bench.settle()
            for request in bench.network.open { request.succeed(Note.json(id, "a", 1), position: position) }
            bench.settle()
            _ = fetching
        }
        // There is no connection; the screen is left and comes back.
        let observer = bench.observe(sync.note("1"))
        #expect(bench.subscriptions == [.init(channel: "note", since: "e:7")])
        observer.stop()
        bench.advance(.seconds(1))
        observer.start()
        let second = bench.observe(sync.note("2"))
        #expect(bench.subscriptions.last == .init(channel: "note", since: "e:7"))
        bench.confirm("note", at: 9, isRecovered: true)
        bench.advance(.seconds(1))
        // What was read in another log is not known to be as new as this one.
        #expect(bench.network.count("GET /notes/2") == 2)
        withExtendedLifetime(second) {}
    }

    @Test("what comes from storage when the channel is heard already may have missed something")
    func restoredLate() throws {
        let source = try SyncBench()
        source.observe(source.sync.note("2"))
        source.answer(Note.json("2", "old", 1), at: 3)
        let stored = source.queries.dehydrate()
        #expect(stored.entries.count == 1)
        bench.observe(sync.note("1"))
        bench.answer(open, at: 7)
        bench.confirm("note", at: 7, isRecovered: true)
        // At 5, note 2 was changed.
        bench.queries.hydrate(stored)
        bench.settle()
        bench.observe(sync.note("2"))
        bench.advance(.seconds(1))
        #expect(bench.network.count("GET /notes/2") == 1)
    }

    @Test("a change that is tried once more after its answer was lost is the same request")
    func triedOnceMore() throws {
        let note = bench.observe(sync.note("1"))
        bench.answer(Note.json("1", "a", 3), at: 10)
        bench.confirm("note", at: 10, isRecovered: true)
        let handle = bench.queries.start(sync.changeNote, NoteChange(id: "1", text: "mine", basedOn: nil))
        bench.settle()
        let first = try bench.request("PATCH /notes/1")
        // The server made it; the answer was lost.
        first.fail()
        bench.settle()
        bench.answer(Note.json("1", "mine", 4), at: 11)
        #expect(note.data?.version == 4)
        bench.queries.retry(handle.identifier)
        bench.settle()
        let second = try bench.request("PATCH /notes/1")
        #expect(second.header("Idempotency-Key") == first.header("Idempotency-Key"))
        #expect(second.text == first.text)
    }

    @Test("a wait that the server asked for does not outlast its return")
    func longRetryAfter() throws {
        let bench = try SyncBench { $0.queries.defaults.retry = .times(1) }
        let observer = bench.observe(bench.sync.note("1"))
        bench.answer(open, at: 7)
        bench.confirm("note", at: 7, isRecovered: true)
        bench.tell("note", .updated, ["entity_id": "1", "version": 2], at: 8)
        try #require(bench.network.open.first).succeed("", status: 503, headers: [.retryAfter: "3600"])
        bench.settle()
        bench.interrupt("note")
        bench.confirm("note", at: 8, isRecovered: true)
        bench.tell("note", .updated, ["entity_id": "1", "version": 3], at: 9)
        bench.advance(.seconds(120))
        #expect(bench.network.count == 3)
        withExtendedLifetime(observer) {}
    }

    @Test("a change does not bring an entity to a list that it belonged to before and is on another page of")
    func notOnThisPage() {
        let page = bench.observe(sync.notes(["limit": 1]))
        bench.answer("[\(Note.json("1", "a", 3))]", at: 10)
        bench.observe(sync.note("2"))
        bench.answer(Note.json("2", "b", 3), at: 10)
        _ = bench.queries.start(sync.changeNote, NoteChange(id: "2", text: "c", basedOn: nil))
        bench.settle()
        #expect(page.data?.map(\.id) == ["1"])
    }

    @Test("a further page does not say how new the pages before it are")
    func positionOfExtension() {
        let pages = sync.notePages
        bench.queries.setData(
            InfiniteData(pages: [NotePage(items: [Note(id: "1", text: "old", version: 1)], next: "x")], cursors: [nil]),
            for: pages.query
        )
        let observer = InfiniteQueryObserver(pages, in: bench.queries)
        observer.start()
        bench.settle()
        let more = Task(executorPreference: bench.executor) { await observer.fetchNextPage() }
        bench.settle()
        bench.answer(#"{"items":[\#(Note.json("2", "b", 3))]}"#, at: 12)
        #expect(bench.queries.entries(.exactly(pages.query.key)).first?.position == nil)
        more.cancel()
        observer.stop()
    }

    @Test("a spread is waited for with the first answer, too")
    func spreadOfFirstAnswer() {
        let observer = bench.observe(sync.note("1"))
        bench.answer(open, at: 7)
        // What the client tells of `{"position":"e:90","recovered":false,"spread_ms":60000}`, in two steps.
        bench.confirm("note", at: 90)
        var stale = BroadcastEvent.stale("note", reason: .gap)
        stale.position = position(90)
        stale.spread = .seconds(60)
        bench.tell(stale)
        #expect(observer.isStale)
        #expect(!observer.isFetching)
    }

    @Test("a function of one's own is not called while it is switched off")
    func onEventSwitchedOff() {
        let log = Log<String>()
        let realtime = RealtimeSync(
            of: ["gift", "1"],
            on: "gift:1",
            isEnabled: false,
            onEvent: { event, _ in log.add(event.name.rawValue) },
            in: sync
        )
        bench.settle()
        bench.confirm("gift:1", at: 1)
        bench.tell("gift:1", .updated, [:], at: 2)
        #expect(log.entries.isEmpty)
        withExtendedLifetime(realtime) {}
    }

    @Test("who leaves a channel that others keep while an echo waits misses nothing")
    func leavingWhatOthersKeep() throws {
        bench.observe(sync.note("1"))
        bench.answer(Note.json("1", "a", 3), at: 10)
        bench.confirm("note", at: 10, isRecovered: true)
        let board = bench.observe(Query(key: ["board"]) { _ in 1 })
        let other = BroadcastSync(on: "table:7", onInvalidate: { _ in }, in: sync)
        var realtime: RealtimeSync? = RealtimeSync(of: ["board"], on: "table:7", in: sync)
        bench.settle()
        bench.confirm("table:7", at: 10)
        bench.advance(.seconds(1))
        let handle = bench.queries.start(sync.changeNote, NoteChange(id: "1", text: "mine", basedOn: nil))
        bench.settle()
        board.stop()
        let origin = JSONValue.string(handle.identifier.description)
        bench.tell("table:7", .updated, ["entity_id": "1", "version": 4, "origin": origin], at: 11)
        withExtendedLifetime(realtime) {}
        realtime = nil
        bench.settle()
        try bench.request("PATCH /notes/1").succeed(Note.json("1", "mine", 4))
        bench.settle()
        #expect(board.isStale || (bench.queries.entries(.exactly(["board"])).first?.isInvalidated ?? true))
        withExtendedLifetime(other) {}
    }

    @Test("a log that has gone back makes its channel stale")
    func logGoneBack() {
        let observer = bench.observe(sync.note("1"))
        bench.answer(open, at: 700)
        bench.confirm("note", at: 700, isRecovered: true)
        bench.interrupt("note")
        // The server's database was restored from last night's copy: the same log, at an earlier place.
        bench.confirm("note", at: 60)
        var stale = BroadcastEvent.stale("note", reason: .gap)
        stale.position = position(60)
        bench.tell(stale)
        bench.advance(.seconds(1))
        #expect(bench.network.count == 2)
        bench.tell("note", .updated, ["entity_id": "1", "version": 5], at: 61)
        bench.advance(.seconds(1))
        #expect(bench.network.count >= 2)
        withExtendedLifetime(observer) {}
    }

    @Test("who takes a channel over within one turn is told that the server tells of it")
    func takenOver() {
        var machine = ConnectionMachine(backoff: Backoff())
        _ = machine.connect()
        _ = machine.opened(keepsEvents: true)
        _ = machine.subscribe(to: "gift:1")
        _ = machine.ask()
        let reply = ServerReply(id: 1, subscribed: [SubscribedChannel(channel: "gift:1", position: position(5))])
        _ = machine.received(.reply(reply))
        _ = machine.unsubscribe(from: "gift:1")
        let actions = machine.subscribe(to: "gift:1") + machine.ask()
        #expect(actions.contains { if case .tell(.subscribed) = $0 { true } else { false } })
    }

    // T14, T15
    @Test("a versioned body that is no object is an error, not a crash")
    func versionedArray() async throws {
        await #expect(processExitsWith: .success) {
            _ = try? APIRequest(.post, "/x", body: VersionedBody([1, 2], version: 3))
            _ = try? APIRequest(.post, "/x", body: VersionedBody([1, 2], version: nil))
        }
    }
}
