import TestSupport
import Testing
import TidingsQuery
import TidingsWire

@testable import TidingsSync

@Suite("Queries that are not live", .timeLimit(.patience))
struct LiveTests {
    private let bench: SyncBench
    private var sync: SyncClient { bench.sync }

    init() throws {
        bench = try SyncBench()
    }

    @Test("twenty events are no fetch and one notice; live again is one fetch")
    func form() {
        let observer = bench.observe(sync.note("1").live(false))
        let shown = Log<Bool>()
        let snapshots = observer.snapshots
        let reading = Task(executorPreference: bench.executor) {
            for await snapshot in snapshots { shown.add(snapshot.isStale) }
        }
        bench.settle()
        bench.answer(Note.json("1", "a", 3), at: 10)
        bench.confirm("note", at: 10, isRecovered: true)
        let before = shown.entries.count
        #expect(shown.entries.last == false)
        for offset in 11...30 as ClosedRange<UInt64> {
            bench.tell("note", .updated, ["entity_id": "1", "version": .integer(Int(offset))], at: offset)
            bench.advance(.milliseconds(200))
        }
        bench.advance(.seconds(3_600))
        #expect(bench.network.count == 1)
        #expect(shown.entries.dropFirst(before) == [true])
        observer.observe(sync.note("1").live(true))
        bench.settle()
        #expect(bench.network.count == 2)
        bench.answer(Note.json("1", "b", 30), at: 30)
        #expect(!observer.isStale)
        observer.observe(sync.note("1").live(false))
        observer.observe(sync.note("1").live(true))
        bench.advance(.seconds(1))
        #expect(bench.network.count == 2)
        reading.cancel()
    }

    @Test("age alone does not make a form stale, nor does coming back to it")
    func age() {
        let observer = bench.observe(sync.note("1").live(false))
        bench.answer(Note.json("1", "a", 3), at: 10)
        bench.confirm("note", at: 10, isRecovered: true)
        bench.advance(.seconds(3_600))
        #expect(!observer.isStale)
        observer.stop()
        observer.start()
        bench.settle()
        #expect(bench.network.count == 1)
    }

    @Test("a form that is refreshed is not stale any more")
    func refresh() async {
        let observer = bench.observe(sync.note("1").live(false))
        bench.answer(Note.json("1", "a", 3), at: 10)
        bench.confirm("note", at: 10, isRecovered: true)
        bench.tell("note", .updated, ["entity_id": "1", "version": 4], at: 11)
        #expect(observer.isStale)
        let refetching = Task(executorPreference: bench.executor) { await observer.refetch() }
        bench.settle()
        bench.answer(Note.json("1", "b", 4), at: 11)
        _ = await refetching.value
        #expect(observer.data?.text == "b")
        #expect(!observer.isStale)
    }

    @Test("what somebody else shows live is fetched for both")
    func both() {
        let form = bench.observe(sync.note("1").live(false))
        let display = bench.observe(sync.note("1"))
        bench.answer(Note.json("1", "a", 3), at: 10)
        bench.confirm("note", at: 10, isRecovered: true)
        bench.tell("note", .updated, ["entity_id": "1", "version": 4], at: 11)
        #expect(bench.network.count == 2)
        bench.answer(Note.json("1", "b", 4), at: 11)
        #expect(form.data?.text == "b")
        #expect(display.data?.text == "b")
    }

    @Test("an entity that is gone does not take a form's data away")
    func deleted() {
        let observer = bench.observe(sync.note("1").live(false))
        bench.answer(Note.json("1", "a", 3), at: 10)
        bench.confirm("note", at: 10, isRecovered: true)
        bench.tell("note", .deleted, ["entity_id": "1", "version": 4], at: 11)
        #expect(observer.data?.text == "a")
        #expect(observer.isStale)
        #expect(bench.network.count == 1)
    }
}
