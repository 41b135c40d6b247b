import HTTPTypes
import TestSupport
import Testing
import TidingsQuery
import TidingsWire

@testable import TidingsSync

@Suite("A client's own changes", .timeLimit(.patience))
struct OwnChangeTests {
    private let bench: SyncBench
    private var sync: SyncClient { bench.sync }

    init() throws {
        bench = try SyncBench()
    }

    private func start(_ text: String, basedOn: Int64? = nil) -> MutationHandle<Note> {
        defer { bench.settle() }
        return bench.queries.start(sync.changeNote, NoteChange(id: "1", text: text, basedOn: basedOn))
    }

    private func echo(of handle: MutationHandle<Note>, version: Int, at offset: UInt64) {
        let payload: EventPayload = [
            "entity_id": "1", "version": .integer(version), "origin": .string(handle.identifier.description),
        ]
        bench.tell("note", .updated, payload, at: offset)
    }

    @Test(
        "shows at once everywhere, and the answer takes its place; only lists are fetched, once, however the echo comes"
    )
    func confirmed() throws {
        for echoFirst in [true, false] {
            let bench = try SyncBench()
            let test = OwnChangeTests(bench)
            let (note, list) = test.bench.showNote()
            let handle = test.start("mine")
            #expect(note.data?.text == "mine")
            #expect(list.data?.map(\.text) == ["mine"])
            #expect(note.hasOptimisticChanges)
            let patch = try test.bench.request("PATCH /notes/1")
            #expect(patch.text == #"{"text":"mine","version":3}"#)
            #expect(patch.header("X-Mutation-ID") == handle.identifier.description)
            #expect(patch.header("Idempotency-Key")?.isEmpty == false)
            if echoFirst { test.echo(of: handle, version: 4, at: 11) }
            #expect(bench.network.count == 3)
            patch.succeed(Note.json("1", "MINE", 4), position: "e:11")
            bench.settle()
            #expect(note.data == Note(id: "1", text: "MINE", version: 4))
            #expect(list.data?.map(\.text) == ["MINE"])
            #expect(!note.hasOptimisticChanges)
            if !echoFirst { test.echo(of: handle, version: 4, at: 11) }
            bench.answer("[\(Note.json("1", "MINE", 4))]", at: 11)
            bench.advance(.seconds(1))
            #expect(bench.network.count("GET /notes/1") == 1)
            #expect(bench.network.count("GET /notes") == 2)
            #expect(!note.isStale && !list.isStale)
        }
    }

    private init(_ bench: SyncBench) {
        self.bench = bench
    }

    @Test("an echo that says nothing of its position does not have the list fetched again either")
    func withoutPositions() throws {
        _ = bench.showNote()
        let handle = start("mine")
        try bench.request("PATCH /notes/1").succeed(Note.json("1", "mine", 4))
        bench.settle()
        bench.answer("[]")
        bench.tell(
            "note",
            .updated,
            ["entity_id": "1", "version": 4, "origin": .string(handle.identifier.description)]
        )
        bench.advance(.seconds(1))
        #expect(bench.network.count("GET /notes") == 2)
        #expect(bench.network.count("GET /notes/1") == 1)
    }

    @Test("somebody else's change during an own one is not lost")
    func foreignChange() throws {
        let (note, _) = bench.showNote()
        let handle = start("mine")
        bench.tell("note", .updated, ["entity_id": "1", "version": 4], at: 11)
        #expect(bench.network.count("GET /notes/1") == 2)
        // The answer is older than what comes then.
        try bench.request("GET /notes/1").succeed(Note.json("1", "theirs", 5), position: "e:12")
        bench.settle()
        #expect(note.data?.text == "mine")
        try bench.request("PATCH /notes/1").succeed(Note.json("1", "mine", 4), position: "e:11")
        bench.settle()
        #expect(try handle.result?.get().version == 4)
        echo(of: handle, version: 4, at: 11)
        // Version 5 has the own change in it, and what somebody else made of it.
        #expect(note.data == Note(id: "1", text: "theirs", version: 5))
    }

    @Test("an event for a later version than the answer's has the note fetched")
    func laterVersion() throws {
        _ = bench.showNote()
        let handle = start("mine")
        bench.tell(
            "note",
            .updated,
            ["entity_id": "1", "version": 5, "origin": .string(handle.identifier.description)],
            at: 12
        )
        try bench.request("PATCH /notes/1").succeed(Note.json("1", "mine", 4), position: "e:11")
        bench.settle()
        #expect(bench.network.count("GET /notes/1") == 2)
    }

    @Test("a change that fails is taken back, its neighbours stay, and everything it showed is fetched")
    func failed() throws {
        let (note, list) = bench.showNote()
        let first = start("first")
        _ = bench.queries.optimisticUpdate(sync.note("1")) { $0.text += "!" }
        #expect(note.data?.text == "first!")
        try bench.request("PATCH /notes/1").succeed(#"{"code":"invalid","title":"No."}"#, status: 422)
        bench.settle()
        #expect(note.data?.text == "a!")
        #expect(list.data?.map(\.text) == ["a"])
        #expect(throws: APIError.self) { try first.result?.get() }
        #expect(bench.network.count("GET /notes/1") == 2)
        #expect(bench.network.count("GET /notes") == 2)
    }

    @Test("an echo of a change whose answer was lost is not taken for known")
    func lostAnswer() throws {
        _ = bench.showNote()
        let handle = start("mine")
        echo(of: handle, version: 4, at: 11)
        #expect(bench.network.count == 3)
        try bench.request("PATCH /notes/1").fail()
        bench.settle()
        bench.answer(Note.json("1", "mine", 4), at: 11)
        #expect(bench.queries.baseData(of: sync.note("1"))?.version == 4)
    }

    @Test("a conflict is an error with the current note, which is shown")
    func conflict() throws {
        let (note, list) = bench.showNote()
        let handle = start("mine", basedOn: 3)
        let json = #"{"code":"stale_version","title":"Conflict","current":\#(Note.json("1", "theirs", 8))}"#
        try bench.request("PATCH /notes/1").succeed(json, status: 409)
        bench.settle()
        guard case .failure(let error)? = handle.result, let conflict = error as? EntityConflict<Note> else {
            Issue.record("no conflict but \(String(describing: handle.result))")
            return
        }
        #expect(conflict.current == Note(id: "1", text: "theirs", version: 8))
        #expect(conflict.cause.code == .staleVersion)
        #expect(note.data?.text == "theirs")
        #expect(list.data?.map(\.text) == ["theirs"])
        // The answer said how it is: only the list is fetched.
        #expect(!note.isStale)
        #expect(bench.network.open.map(\.line) == ["GET /notes"])
    }

    @Test("an answer about something that was not there is no newer than it says", arguments: [11, 12] as [UInt64])
    func firstSeenInAnswer(at offset: UInt64) throws {
        let list = bench.observe(sync.notes())
        bench.answer("[\(Note.json("1", "a", 3))]", at: 10)
        bench.confirm("note", at: 10, isRecovered: true)
        let handle = start("mine")
        // Somebody else's change comes before the answer to the own one.
        bench.tell("note", .updated, ["entity_id": "1", "version": 5], at: 12)
        try bench.request("PATCH /notes/1").succeed(Note.json("1", "mine", 4), position: "e:\(offset)")
        bench.settle()
        #expect(try handle.result?.get().version == 4)
        let form = bench.observe(sync.note("1").live(false))
        bench.settle()
        #expect(form.isFetching == (offset < 12))
        withExtendedLifetime(list) {}
    }

    @Test("a refusal that is not about the version is no conflict, whatever it brings along")
    func otherRefusals() throws {
        _ = bench.showNote()
        let handle = start("mine")
        let json = #"{"code":"illegal_transition","title":"Conflict","current":\#(Note.json("1", "a", 3))}"#
        try bench.request("PATCH /notes/1").succeed(json, status: 409)
        bench.settle()
        let error = #expect(throws: APIError.self) { try handle.result?.get() }
        #expect(error?.code == .illegalTransition)
    }

    @Test("quick changes show in the order in which they were asked for, before anything was sent")
    func atOnce() {
        let (note, list) = bench.showNote()
        for text in ["first", "second", "third"] {
            bench.queries.start(sync.changeNote, NoteChange(id: "1", text: text))
            #expect(note.data?.text == text)
            #expect(list.data?.map(\.text) == [text])
        }
    }

    @Test("quick changes of one's own go in order, each with the version that the one before led to")
    func quickChanges() throws {
        _ = bench.showNote()
        let handles = (1...3).map { start("change \($0)", basedOn: 3) }
        for version in 4...6 {
            #expect(bench.network.open.count { $0.line == "PATCH /notes/1" } == 1)
            let patch = try bench.request("PATCH /notes/1")
            #expect(patch.text == #"{"text":"change \#(version - 3)","version":\#(version - 1)}"#)
            patch.succeed(Note.json("1", "change \(version - 3)", version))
            bench.settle()
        }
        #expect(try handles.map { try $0.result?.get().version } == [4, 5, 6])
    }

    @Test("a version that somebody else's change lies before is sent as it is, to be refused")
    func foreignVersionBetween() throws {
        _ = bench.showNote()
        bench.tell("note", .updated, ["entity_id": "1", "version": 4], at: 11)
        try bench.request("GET /notes/1").succeed(Note.json("1", "theirs", 4), position: "e:11")
        bench.settle()
        _ = start("mine", basedOn: 3)
        #expect(try bench.request("PATCH /notes/1").text == #"{"text":"mine","version":3}"#)
        bench.queries.clear()
    }

    @Test("a new one is shown in the lists that it belongs to, where it belongs")
    func created() throws {
        func list(_ parameters: [String: QueryKey.Segment]) -> QueryObserver<[Note]> {
            defer { bench.answer("[\(Note.json("1", "a", 3))]", at: 10) }
            return bench.observe(sync.notes(parameters))
        }
        let all = list([:])
        let newest = list(["sort": "-id"])
        let matching = list(["text": "new"])
        let others = list(["text": ["a", "b"]])
        let note = Note(id: "2", text: "new", version: 0)
        let handle = bench.queries.start(sync.addNote, note)
        bench.settle()
        #expect(all.data?.map(\.id) == ["1", "2"])
        #expect(newest.data?.map(\.id) == ["2", "1"])
        #expect(matching.data?.map(\.id) == ["1", "2"])
        #expect(others.data?.map(\.id) == ["1"])
        try bench.request("POST /notes").fail(APIError(.refused, "No.", status: 422))
        bench.settle()
        #expect(all.data?.map(\.id) == ["1"])
        #expect(throws: APIError.self) { try handle.result?.get() }
    }

    @Test("a changed one leaves the lists that it does not belong to, and comes to those that it does")
    func moves() throws {
        let open = bench.observe(sync.notes(["text": "open"]))
        bench.answer("[\(Note.json("1", "open", 3))]", at: 10)
        let done = bench.observe(sync.notes(["text": "done"]))
        bench.answer("[]", at: 10)
        bench.confirm("note", at: 10, isRecovered: true)
        let handle = start("done")
        #expect(open.data == [])
        #expect(done.data?.map(\.text) == ["done"])
        try bench.request("PATCH /notes/1").succeed(Note.json("1", "done", 4), position: "e:11")
        bench.settle()
        #expect(open.data == [])
        #expect(done.data == [Note(id: "1", text: "done", version: 4)])
        #expect(try handle.result?.get().version == 4)
    }

    @Test("the pages of a list that goes on are changed like any other")
    func pages() throws {
        let pages = sync.notePages
        let observer = InfiniteQueryObserver(pages, in: bench.queries)
        observer.start()
        bench.settle()
        bench.answer(#"{"items":[\#(Note.json("1", "a", 3))],"next":"x"}"#, at: 10)
        let more = Task(executorPreference: bench.executor) { await observer.fetchNextPage() }
        bench.settle()
        #expect(bench.network.count("GET /notes?cursor=x") == 1)
        bench.answer(#"{"items":[\#(Note.json("2", "b", 3))]}"#, at: 12)
        // What came later is not what the whole list stands for.
        #expect(bench.subscriptions == [.init(channel: "note", since: "e:10")])
        _ = bench.queries.start(sync.changeNote, NoteChange(id: "2", text: "changed"))
        bench.settle()
        #expect(observer.pages.map { $0.items.map(\.text) } == [["a"], ["changed"]])
        _ = bench.queries.start(sync.deleteNote, "1")
        bench.settle()
        #expect(observer.pages.map { $0.items.map(\.id) } == [[], ["2"]])
        more.cancel()
        observer.stop()
    }

    @Test("a deleted one is gone from the lists at once, and from the cache with the answer")
    func deleted() throws {
        let (note, list) = bench.showNote()
        note.stop()
        let handle = bench.queries.start(sync.deleteNote, "1")
        bench.settle()
        #expect(list.data == [])
        let delete = try bench.request("DELETE /notes/1")
        #expect(delete.header("If-Match") == #""3""#)
        delete.succeed("", status: 204)
        bench.settle()
        #expect(handle.result != nil)
        #expect(bench.queries.entries(.exactly(Note.entity.keys.detail("1"))).isEmpty)
    }

    @Test("while the server cannot be reached, a change stays pending if it is to be tried again, with the same key")
    func retried() throws {
        let bench = try SyncBench { $0.mutations.retry = RetryPolicy(retries: nil, delay: .fixed(.seconds(1))) }
        let test = OwnChangeTests(bench)
        let (note, _) = test.bench.showNote()
        let handle = test.start("mine")
        let key = try test.bench.request("PATCH /notes/1").header("Idempotency-Key")
        for _ in 0..<3 {
            try test.bench.request("PATCH /notes/1").fail()
            bench.settle()
            #expect(note.data?.text == "mine")
            bench.advance(.seconds(1))
        }
        // It was made, and only the answer was lost: the same request gets the answer.
        bench.tell("note", .updated, ["entity_id": "1", "version": 4], at: 11)
        try test.bench.request("GET /notes/1").succeed(Note.json("1", "mine", 4), position: "e:11")
        try test.bench.request("PATCH /notes/1").fail()
        bench.settle()
        bench.advance(.seconds(1))
        let last = try test.bench.request("PATCH /notes/1")
        #expect(last.header("Idempotency-Key") == key)
        #expect(last.text == #"{"text":"mine","version":3}"#)
        last.succeed(Note.json("1", "mine", 4), headers: [.retryAfter: "1"])
        bench.settle()
        #expect(try handle.result?.get().version == 4)
    }

    @Test("an answer without the entity's version still counts, by its tag")
    func tags() throws {
        _ = bench.showNote()
        let touch = sync.mutation(
            "notes.touch",
            of: Note.entity,
            about: { (id: String) in id },
            show: { _, _ in },
            request: { id, _ in APIRequest(.post, "/notes/\(id)/touch") },
            as: NoContent.self
        )
        _ = bench.queries.start(touch, "1")
        bench.settle()
        _ = start("mine", basedOn: 3)
        try bench.request("POST /notes/1/touch").succeed("", status: 204, headers: [.eTag: #""4""#])
        bench.settle()
        #expect(try bench.request("PATCH /notes/1").text == #"{"text":"mine","version":4}"#)
    }

    @Test("who leaves a channel while an echo waits misses nothing")
    func leaving() throws {
        _ = bench.showNote()
        let board = bench.observe(Query(key: ["board"]) { _ in 1 })
        var realtime: RealtimeSync? = RealtimeSync(of: ["board"], on: "table:7", in: sync)
        bench.settle()
        bench.confirm("table:7", at: 10)
        bench.advance(.seconds(1))
        let handle = start("mine")
        let origin = JSONValue.string(handle.identifier.description)
        bench.sync.inbox.put(
            .event(
                BroadcastEvent(
                    channel: "table:7",
                    name: .updated,
                    payload: ["entity_id": "1", "version": 4, "origin": origin]
                )
            )
        )
        _ = sync.work()
        #expect(!board.isStale)
        withExtendedLifetime(realtime) {}
        realtime = nil
        _ = sync.work()
        #expect(board.isStale)
    }
}
