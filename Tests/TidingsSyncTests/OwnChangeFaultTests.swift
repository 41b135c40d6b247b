import TestSupport
import Testing
import TidingsQuery
import TidingsWire

@testable import TidingsHTTPTransport
@testable import TidingsSync

@Suite("A client's own changes, when something comes in between", .timeLimit(.patience))
struct OwnChangeFaultTests {
    private let bench: SyncBench
    private var sync: SyncClient { bench.sync }

    init() throws { bench = try SyncBench() }

    @Test("somebody's own functions do not take the place of those that settle a change")
    func hooks() throws {
        let (note, list) = bench.showNote()
        let log = Log<String>()
        let mutation = sync.changeNote
            .onError { _, _, _ in log.add("error") }
            .onSettled { _, _, _ in log.add("settled") }
        _ = bench.queries.start(mutation, NoteChange(id: "1", text: "mine", basedOn: 3))
        bench.settle()
        let json = #"{"code":"stale_version","title":"Conflict","current":\#(Note.json("1", "theirs", 8))}"#
        try bench.request("PATCH /notes/1").succeed(json, status: 409)
        bench.settle()
        #expect(log.entries == ["error", "settled"])
        #expect(note.data?.text == "theirs")
        #expect(bench.network.count("GET /notes") == 2)
        withExtendedLifetime(list) {}
    }

    struct Memo: Codable, Hashable, Sendable {
        var id: String
        var text: String
        static let entity = SyncedEntity<Memo>(
            "memo",
            keys: EntityKeys("memos"),
            channel: "memo",
            identifier: { $0.id }
        )
    }

    @Test("an answer that is older than what was fetched meanwhile is not the last word, without versions")
    func unversioned() throws {
        let memo = bench.observe(sync.detail("1", of: Memo.entity, APIRequest(.get, "/memos/1")))
        bench.answer(#"{"id":"1","text":"a"}"#, at: 10)
        bench.confirm("memo", at: 10, isRecovered: true)
        let rename = sync.mutation(
            "memos.rename",
            of: Memo.entity,
            about: { (m: Memo) in m.id },
            show: { input, memos in memos.update(input.id) { $0.text = input.text } },
            request: { input, _ in try APIRequest(.patch, "/memos/1", body: input) },
            as: Memo.self
        )
        let handle = bench.queries.start(rename, Memo(id: "1", text: "mine"))
        bench.settle()
        // Made at 11; at 12 somebody else made it "theirs". The event of that comes before the answer.
        bench.tell("memo", .updated, ["entity_id": "1"], at: 12)
        try bench.request("GET /memos/1").succeed(#"{"id":"1","text":"theirs"}"#, position: "e:12")
        bench.settle()
        try bench.request("PATCH /memos/1").succeed(#"{"id":"1","text":"mine"}"#, position: "e:11")
        bench.settle()
        bench.tell("memo", .updated, ["entity_id": "1", "origin": .string(handle.identifier.description)], at: 11)
        bench.advance(.seconds(1))
        for request in bench.network.open { request.succeed(#"{"id":"1","text":"theirs"}"#, position: "e:12") }
        bench.settle()
        #expect(memo.data?.text == "theirs")
    }

    @Test(
        "quick changes of one's own do not conflict with each other, whenever the program ends",
        arguments: ["asked before", "asked after"]
    )
    func quickChangesOverRestart(when: String) async throws {
        let (persister, network) = (MemoryPersister(), ManualMonitor(true))
        let before = try SyncBench {
            $0.queries.persister = persister
            $0.queries.connectivity = network
        }
        let restoring = Task(executorPreference: before.executor) { await before.queries.restore() }
        before.settle()
        _ = await restoring.value
        before.observe(before.sync.note("1"))
        before.answer(Note.json("1", "a", 3), at: 10)
        before.queries.start(before.sync.changeNote, NoteChange(id: "1", text: "first", basedOn: 3))
        before.settle()
        network.set(false)
        if when == "asked before" {
            before.queries.start(before.sync.changeNote, NoteChange(id: "1", text: "second", basedOn: 3))
        }
        before.settle()
        try #require(before.network.open.first { $0.line == "PATCH /notes/1" }).succeed(Note.json("1", "first", 4))
        before.settle()
        if when == "asked after" {
            before.queries.start(before.sync.changeNote, NoteChange(id: "1", text: "second", basedOn: 3))
        }
        before.settle()
        let stored = try await persister.loadMutations().mutations
        #expect(stored.count == 1)
        let after = try SyncBench { $0.queries.persister = persister }
        after.sync.queries.register(after.sync.changeNote)
        let again = Task(executorPreference: after.executor) { await after.queries.restore() }
        after.settle()
        _ = await again.value
        after.settle()
        let patch = try #require(after.network.open.first)
        #expect(patch.text == #"{"text":"second","version":4}"#)
    }

    @Test("a cache goes though a change was discarded", arguments: [false, true])
    func lifetime(isDiscarded: Bool) throws {
        weak var queries: QueryClient?
        let (network, executor) = (FakeTransport(), ManualExecutor())
        do {
            let sync = try SyncClient(baseURL: "http://127.0.0.1:1") { configuration in
                configuration.transport = network
                configuration.queries.taskExecutor = executor
            }
            sync.queries.register(sync.changeNote)
            let handle = isDiscarded ? sync.queries.start(sync.changeNote, NoteChange(id: "1", text: "x")) : nil
            executor.drain()
            handle?.discard()
            queries = sync.queries
        }
        executor.drain()
        // What was sent before it was discarded.
        for request in network.open { request.fail() }
        executor.drain()
        #expect(queries == nil)
    }

    @Test("a change whose answer cannot be read may have been made", arguments: [200, 520])
    func unreadable(status: Int) throws {
        _ = bench.showNote()
        let handle = bench.queries.start(sync.changeNote, NoteChange(id: "1", text: "mine"))
        bench.settle()
        let first = try bench.request("PATCH /notes/1")
        first.succeed("<html>", status: status)
        bench.settle()
        bench.answer(Note.json("1", "mine", 4), at: 11)
        bench.queries.retry(handle.identifier)
        bench.settle()
        #expect(try bench.request("PATCH /notes/1").text == first.text)
    }
}
