import Foundation
import HTTPTypes
import Synchronization
import TestSupport
import Testing
import TidingsQuery
import TidingsWire

@testable import TidingsClient
@testable import TidingsHTTPTransport
@testable import TidingsSync

@Suite("Servers and users of all kinds", .timeLimit(.patience))
struct RobustnessTests {
    private let bench: SyncBench
    private var sync: SyncClient { bench.sync }

    init() throws { bench = try SyncBench() }

    @Test("without run, observing keeps nothing behind")
    func inboxWithoutRun() {
        let observer = QueryObserver(sync.note("1"), in: bench.queries)
        for _ in 0..<10_000 {
            observer.start()
            observer.stop()
        }
        #expect(sync.inbox.takeAll().count < 100)
    }

    @Test("a change that is redirected is not taken for made")
    func redirected() async throws {
        let api = try APIClient(baseURL: "http://127.0.0.1:18999")
        await #expect(throws: (any Error).self) {
            _ = try await api.send(APIRequest(.post, "/touch"), as: NoContent.self)
        }
    }

    @Test("what was refused for want of a new token is asked for again")
    func expiredToken() throws {
        let observer = bench.observe(sync.note("1"))
        bench.answer(Note.json("1", "a", 1), at: 7)
        bench.confirm("note", at: 7, isRecovered: true)
        bench.tell("note", .updated, ["entity_id": "1", "version": 2], at: 8)
        try #require(bench.network.open.first).succeed(#"{"code":"unauthenticated","title":"Expired"}"#, status: 401)
        bench.advance(.seconds(600))
        #expect(bench.network.count == 3)
        withExtendedLifetime(observer) {}
    }

    @Test("an identifier of a UUID counts in either case")
    func cases() throws {
        let id = UUID()
        bench.observe(sync.note(id.uuidString.lowercased()))
        bench.answer(Note.json(id.uuidString.lowercased(), "a", 1), at: 7)
        bench.confirm("note", at: 7, isRecovered: true)
        bench.tell("note", .updated, ["entity_id": .string(id.uuidString), "version": 2], at: 8)
        #expect(bench.network.count == 2)
    }

    @Test("an identifier that is a number counts")
    func numbers() throws {
        bench.observe(sync.note("1"))
        bench.observe(sync.note("2"))
        bench.answer(Note.json("1", "a", 1), at: 7)
        bench.confirm("note", at: 7, isRecovered: true)
        bench.tell("note", .updated, ["entity_id": 1, "version": 2], at: 8)
        #expect(bench.network.count == 3)
    }

    @Test("whoever looks at an entity that was deleted by its own client is told, also without an echo")
    func ownDeletion() throws {
        let note = bench.observe(sync.note("1"))
        bench.answer(Note.json("1", "a", 3), at: 10)
        bench.confirm("note", at: 10, isRecovered: true)
        _ = bench.queries.start(sync.deleteNote, "1")
        bench.settle()
        try #require(bench.network.open.first { $0.line == "DELETE /notes/1" }).succeed("", status: 204)
        bench.advance(.seconds(10))
        #expect(note.fetchStatus == .fetching || note.isError)
    }

    @Test("a debounce of one user does not hold up the others")
    func mixedDebounce() throws {
        var waits = 0
        for number in 0..<12 {
            let bench = try SyncBench()
            bench.observe(bench.sync.note("1"))
            bench.answer(Note.json("1", "a", 1), at: 7)
            bench.confirm("note", at: 7, isRecovered: true)
            let others = (0..<(number % 3 + 1)).map {
                RealtimeSync(of: Note.entity.keys.all, on: "note", debounce: .seconds(5 + $0), in: bench.sync)
            }
            bench.settle()
            bench.tell("note", .updated, ["entity_id": "1", "version": 2], at: 8)
            bench.advance(.seconds(1))
            if bench.network.count != 2 { waits += 1 }
            withExtendedLifetime(others) {}
        }
        #expect(waits == 0)
    }

    // Every answer of an own change has the detail's row in lists that hold it replaced, also in those that wait.
    @Test("an answer does not overwrite what a list without versions has from somebody else")
    func problemsOfOtherForms() throws {
        let json =
            #"{"code":"stale_version","title":"Conflict","errors":{"text":["taken"]},"current":\#(Note.json("1", "x", 2))}"#
        #expect(ProblemDetails(json: Array(json.utf8))?.code == "stale_version")
    }

    // leak of payload
    @Test("a description has no payload in it")
    func descriptions() async throws {
        enum Color: String, Codable { case red }
        struct Thing: Codable, Sendable { var color: Color }
        let network = FakeTransport()
        let api = try APIClient(baseURL: "http://127.0.0.1:1", transport: network)
        let task = Task { try await api.send(APIRequest(.get, "/x"), as: Thing.self) }
        while network.count == 0 { await Task.yield() }
        network.requests[0].succeed(#"{"color":"my secret"}"#)
        let error = await #expect(throws: APIError.self) { _ = try await task.value }
        #expect(!"\(error!)".contains("secret"))
    }
}
