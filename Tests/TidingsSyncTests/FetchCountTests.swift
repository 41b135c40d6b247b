import TestSupport
import Testing
import TidingsQuery
import TidingsWire

@testable import TidingsHTTPTransport
@testable import TidingsSync

@Suite("What is fetched no more often than it has to be", .timeLimit(.patience))
struct FetchCountTests {
    private let bench: SyncBench
    private var sync: SyncClient { bench.sync }

    init() throws { bench = try SyncBench() }

    @Test("a further reconnect does not cut a spread short")
    func spread() {
        _ = bench.observe(sync.note("1"))
        bench.answer(Note.json("1", "a", 3), at: 10)
        bench.confirm("note", at: 10, isRecovered: true)
        bench.interrupt("note")
        bench.confirm("note", at: 90)
        var stale = BroadcastEvent.stale("note", reason: .gap)
        stale.position = EventPosition(epoch: "e", offset: 90)
        stale.spread = .seconds(60)
        bench.tell(stale)
        #expect(bench.network.count == 1)
        bench.interrupt("note")
        bench.confirm("note", at: 90, isRecovered: true)
        bench.advance(.milliseconds(200))
        #expect(bench.network.count == 1)
        bench.advance(.seconds(60))
        #expect(bench.network.count == 2)
    }

    @Test("what is asked for by hand is not as fresh as somebody would be who listens")
    func fetchOfForm() throws {
        let query = sync.note("1").live(false)
        let (queries, executor) = (bench.queries, bench.executor)
        let load = Task(executorPreference: executor) { try await queries.fetch(query) }
        bench.settle()
        bench.answer(Note.json("1", "a", 3), at: 5)
        bench.advance(.seconds(240))
        let again = Task(executorPreference: executor) { try await queries.fetch(query) }
        bench.settle()
        #expect(bench.network.count == 2)
        load.cancel()
        again.cancel()
    }

    @Test("a further page that fails does not have the whole list fetched")
    func failedPage() throws {
        let pages = sync.notePages
        let observer = InfiniteQueryObserver(pages, in: bench.queries)
        observer.start()
        bench.settle()
        bench.answer(#"{"items":[\#(Note.json("1", "a", 3))],"next":"x"}"#, at: 10)
        bench.confirm("note", at: 10, isRecovered: true)
        let more = Task(executorPreference: bench.executor) { await observer.fetchNextPage() }
        bench.settle()
        try bench.request("GET /notes?cursor=x").fail()
        bench.advance(.seconds(60))
        #expect(bench.network.count == 2)
        more.cancel()
        observer.stop()
    }

    @Test("the echo of an own deletion has nothing fetched again")
    func deletionEcho() throws {
        let (note, list) = bench.showNote()
        let handle = bench.queries.start(sync.deleteNote, "1")
        bench.settle()
        try bench.request("DELETE /notes/1").succeed("", status: 204)
        bench.settle()
        try bench.request("GET /notes/1").succeed(#"{"code":"not_found","title":"No"}"#, status: 404)
        try bench.request("GET /notes").succeed("[]", position: "e:11")
        bench.settle()
        bench.tell(
            "note",
            .deleted,
            ["entity_id": "1", "version": 4, "origin": .string(handle.identifier.description)],
            at: 11
        )
        bench.advance(.seconds(10))
        #expect(bench.network.count("GET /notes/1") == 2)
        #expect(bench.network.count("GET /notes") == 2)
        withExtendedLifetime((note, list)) {}
    }

    @Test("without run, switching on and off keeps nothing behind")
    func enabledWithoutRun() {
        let realtime = RealtimeSync(of: ["x"], on: "x", in: sync)
        for _ in 0..<1_000 {
            realtime.setEnabled(false)
            realtime.setEnabled(true)
        }
        #expect(sync.inbox.takeAll().count < 100)
    }
}
