import HTTPTypes
import TestSupport
import Testing
import TidingsQuery
import TidingsWire

@testable import TidingsSync

@Suite("What is fetched meanwhile", .timeLimit(.patience))
struct OverlappingFetchTests {
    private let bench: SyncBench
    private var sync: SyncClient { bench.sync }

    init() throws { bench = try SyncBench() }

    @Test("what one's own function puts into the cache is not undone by a load that began before the event")
    func ownFunctionDuringLoad() throws {
        let key: QueryKey = ["gift", "1"]
        let gift = sync.query(key, of: Note.entity, APIRequest(.get, "/gifts/1"), as: Note.self)
        let realtime = RealtimeSync(
            of: key,
            on: "gift:1",
            onEvent: { event, queries in
                queries.setData(Note(id: "1", text: event.payload.string("text") ?? "", version: 2), for: gift)
            },
            in: sync
        )
        bench.settle()
        bench.confirm("gift:1", at: 1)
        let observer = bench.observe(gift)
        let load = try #require(bench.network.open.first)
        bench.tell("gift:1", .updated, ["entity_id": "1", "text": "new", "version": 2], at: 2)
        #expect(observer.data?.text == "new")
        load.succeed(Note.json("1", "old", 1), position: "e:1")
        bench.advance(.seconds(10))
        #expect(observer.data?.text == "new" || bench.network.count == 2)
        withExtendedLifetime(realtime) {}
    }

    @Test("an answer is not undone by a fetch that began before the change, though its echo came between")
    func fetchDuringAction() throws {
        let note = bench.observe(sync.note("1"))
        bench.answer(Note.json("1", "a", 3), at: 10)
        bench.confirm("note", at: 10, isRecovered: true)
        let finish = sync.mutation(
            "notes.finish",
            of: Note.entity,
            about: { (id: String) in id },
            show: { _, _ in },
            request: { id, _ in APIRequest(.post, "/notes/\(id)/finish") },
            as: Note.self
        )
        let handle = bench.queries.start(finish, "1")
        bench.settle()
        // Somebody pulls to refresh: this is read before the change is made.
        let refreshing = Task(executorPreference: bench.executor) { await note.refetch() }
        bench.settle()
        let load = try #require(bench.network.open.first { $0.line == "GET /notes/1" })
        try #require(bench.network.open.first { $0.line == "POST /notes/1/finish" })
            .succeed(Note.json("1", "finished", 4), position: "e:11")
        bench.settle()
        #expect(note.data?.version == 4)
        let origin = JSONValue.string(handle.identifier.description)
        bench.tell("note", .updated, ["entity_id": "1", "version": 4, "origin": origin], at: 11)
        load.succeed(Note.json("1", "a", 3), position: "e:10")
        bench.advance(.seconds(10))
        #expect(note.data?.version == 4 || bench.network.count("GET /notes/1") == 3)
        refreshing.cancel()
    }
}
