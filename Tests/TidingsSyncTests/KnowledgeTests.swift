import TestSupport
import Testing
import TidingsQuery
import TidingsWire

@testable import TidingsSync

@Suite("What entries are known to have", .timeLimit(.patience))
struct KnowledgeTests {
    private let bench: SyncBench
    private var sync: SyncClient { bench.sync }

    init() throws { bench = try SyncBench() }

    @Test("an answer that is older than what is shown takes back no mark")
    func olderAnswer() throws {
        bench.observe(sync.note("1"))
        bench.answer(Note.json("1", "a", 3), at: 10)
        bench.confirm("note", at: 10, isRecovered: true)
        _ = bench.queries.start(sync.changeNote, NoteChange(id: "1", text: "mine", basedOn: 3))
        bench.settle()
        let patch = try #require(bench.network.open.first { $0.line == "PATCH /notes/1" })
        bench.tell("note", .updated, ["entity_id": "1", "version": 5], at: 12)
        try #require(bench.network.open.first { $0.line == "GET /notes/1" })
            .succeed(Note.json("1", "theirs", 5), position: "e:12")
        bench.settle()
        bench.tell("note", .updated, ["entity_id": "1", "version": 6], at: 13)
        patch.succeed(Note.json("1", "mine", 4))
        bench.advance(.seconds(10))
        #expect(bench.network.count("GET /notes/1") == 3)
    }

    @Test("an event about no entity is not known by its version")
    func versionWithoutEntity() {
        var query = Query<Note>(key: ["gift", "1"])
        query.version = { $0.version }
        let realtime = RealtimeSync(of: ["gift"], on: "gift:1", in: sync)
        bench.settle()
        bench.confirm("gift:1", at: 1)
        bench.queries.setData(Note(id: "1", text: "a", version: 9), for: query)
        bench.tell("gift:1", .updated, ["version": 2], at: 2)
        #expect(bench.queries.entries(.exactly(["gift", "1"])).first?.isInvalidated == true)
        withExtendedLifetime(realtime) {}
    }

    @Test("what waits in stored form is heard of like anything else")
    func storedEntriesAreRemembered() throws {
        let source = try SyncBench()
        source.observe(source.sync.note("2"))
        source.answer(Note.json("2", "old", 1), at: 3)
        bench.queries.hydrate(source.queries.dehydrate())
        let observer = bench.observe(sync.note("1"))
        bench.answer(Note.json("1", "a", 1), at: 50)
        #expect(bench.subscriptions == [.init(channel: "note", since: "e:3")])
        bench.confirm("note", at: 50, isRecovered: true)
        bench.tell("note", .updated, ["entity_id": "9", "version": 2], at: 50)
        observer.stop()
        bench.settle()
        observer.start()
        bench.settle()
        #expect(bench.subscriptions.last == .init(channel: "note", since: "e:50"))
    }
}
