import Foundation
import Testing
import TidingsQuery
import TidingsWire

@testable import TidingsHTTPTransport
@testable import TidingsSync

@Suite("A client's own changes, when something comes in between", .timeLimit(.minutes(1)))
struct OwnChangeFaultTests {
    private let bench: SyncBench
    private var sync: SyncClient { bench.sync }

    init() throws { bench = try SyncBench() }

    private func request(_ line: String) throws -> FakeTransport.Request {
        try #require(bench.network.open.first { $0.line == line })
    }

    /// Shows a note and a list with it, at version 3 and position 10.
    private func show() -> (note: QueryObserver<Note>, list: QueryObserver<[Note]>) {
        let (note, list) = (bench.observe(sync.note("1")), bench.observe(sync.notes()))
        for request in bench.network.open {
            let json = Note.json("1", "a", 3)
            request.succeed(request.line == "GET /notes" ? "[\(json)]" : json, position: "e:10")
        }
        bench.settle()
        bench.confirm("note", at: 10, isRecovered: true)
        return (note, list)
    }

    @Test("somebody's own functions do not take the place of those that settle a change")
    func hooks() throws {
        let (note, list) = show()
        let log = Log<String>()
        let mutation = sync.changeNote
            .onError { _, _, _ in log.add("error") }
            .onSettled { _, _, _ in log.add("settled") }
        _ = bench.queries.start(mutation, NoteChange(id: "1", text: "mine", basedOn: 3))
        bench.settle()
        let json = #"{"code":"stale_version","title":"Conflict","current":\#(Note.json("1", "theirs", 8))}"#
        try request("PATCH /notes/1").succeed(json, status: 409)
        bench.settle()
        #expect(log.entries == ["error", "settled"])
        #expect(note.data?.text == "theirs")
        #expect(bench.network.count("GET /notes") == 2)
        withExtendedLifetime(list) {}
    }
}
