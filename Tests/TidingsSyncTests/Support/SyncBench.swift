import Synchronization
import TestSupport
import Testing
import TidingsQuery
import TidingsTesting
import TidingsWire

@testable import TidingsSync

/// A client on a clock that stands still, without a network: a test answers its requests, and says what the server tells.
final class SyncBench: Sendable {
    /// What was asked of the broadcast server.
    struct Subscription: Equatable {
        let channel: ChannelName
        let since: String?
    }

    private final class Kept: Sendable {
        let end: @Sendable () -> Void
        init(end: @escaping @Sendable () -> Void) { self.end = end }
        deinit { end() }
    }

    let clock = ManualClock()
    let executor = ManualExecutor()
    let network = FakeTransport()
    let sync: SyncClient
    private let asked: Log<Subscription>
    private let ended: Log<ChannelName>
    private let telling: Task<Void, Never>
    private let kept = Mutex<[any AnyObject & Sendable]>([])

    var queries: QueryClient { sync.queries }
    /// What was subscribed, in order.
    var subscriptions: [Subscription] { asked.entries }
    /// What was released, in order.
    var released: [ChannelName] { ended.entries }

    init(_ configure: (inout SyncClient.Configuration) -> Void = { _ in }) throws {
        let (asked, ended) = (Log<Subscription>(), Log<ChannelName>())
        (self.asked, self.ended) = (asked, ended)
        var configuration = SyncClient.Configuration(baseURL: "http://127.0.0.1:1")
        configuration.queries.clock = clock
        configuration.queries.taskExecutor = executor
        configuration.queries.startDate = Bench.start
        configuration.queries.makeRandomNumberGenerator = { SeededGenerator(seed: 1) }
        configuration.queries.defaults.retry = .never
        configuration.transport = network
        configure(&configuration)
        let sync = try SyncClient(configuration) { _, _ in
            { channel, since in
                asked.add(Subscription(channel: channel, since: since?.description))
                return Kept { ended.add(channel) }
            }
        }
        self.sync = sync
        let changes = sync.queries.events(buffered: 4_096)
        telling = Task(executorPreference: executor) { await sync.listen(to: changes) }
        executor.drain()
    }

    deinit {
        telling.cancel()
    }

    /// Lets everything happen that can. What the client's run would tell of the cache is told here.
    func settle() {
        executor.drain()
        _ = sync.work()
        executor.drain()
        _ = sync.work()
        executor.drain()
    }

    func advance(_ duration: Duration) {
        settle()
        clock.advance(by: duration)
        settle()
    }

    /// The server tells something.
    func tell(
        _ channel: ChannelName,
        _ name: EventName = .updated,
        _ payload: EventPayload = [:],
        at offset: UInt64? = nil
    ) {
        var event = BroadcastEvent(channel: channel, name: name, payload: payload)
        event.position = offset.map { EventPosition(epoch: "e", offset: $0) }
        tell(event)
    }

    func tell(_ event: BroadcastEvent) {
        sync.inbox.put(.event(event))
        settle()
    }

    /// The server begins to tell of a channel.
    func confirm(_ channel: ChannelName, at offset: UInt64? = nil, isRecovered: Bool = false) {
        let position = offset.map { EventPosition(epoch: "e", offset: $0) }
        sync.inbox.put(.update(channel, .subscribed(at: position, isRecovered: isRecovered)))
        settle()
    }

    func interrupt(_ channel: ChannelName) {
        sync.inbox.put(.update(channel, .interrupted))
        settle()
    }

    @discardableResult
    func observe<Value>(_ query: Query<Value>) -> QueryObserver<Value> {
        let observer = QueryObserver(query, in: queries)
        observer.start()
        kept.withLock { $0.append(observer) }
        settle()
        return observer
    }

    /// Shows a note and a list with it, at version 3 and position 10.
    func showNote() -> (note: QueryObserver<Note>, list: QueryObserver<[Note]>) {
        let (note, list) = (observe(sync.note("1")), observe(sync.notes()))
        for request in network.open {
            let json = Note.json("1", "a", 3)
            request.succeed(request.line == "GET /notes" ? "[\(json)]" : json, position: "e:10")
        }
        settle()
        confirm("note", at: 10, isRecovered: true)
        return (note, list)
    }

    /// What waits for an answer.
    func request(_ line: String) throws -> FakeTransport.Request {
        try #require(network.open.first { $0.line == line })
    }

    /// Answers everything that waits, with a text and a position.
    func answer(_ json: String, at offset: UInt64? = nil) {
        for request in network.open { request.succeed(json, position: offset.map { "e:\($0)" }) }
        settle()
    }
}

/// What the tests keep at the server.
struct Note: Codable, Hashable, Sendable {
    var id: String
    var text: String
    var version: Int64

    static let entity = SyncedEntity<Note>(
        "note",
        keys: EntityKeys("notes"),
        channel: "note",
        identifier: { $0.id },
        version: { $0.version },
        lists: [.array, .page(\NotePage.items), .pages(\NotePage.items, cursor: String.self)],
        place: { note, list in list.admits("text", note.text) ? (list["sort"] == "-id" ? .first : .last) : nil }
    )

    static func json(_ id: String, _ text: String, _ version: Int) -> String {
        #"{"id":"\#(id)","text":"\#(text)","version":\#(version)}"#
    }
}

struct NotePage: Codable, Hashable, Sendable {
    var items: [Note]
    var next: String?
}

/// A change of a note.
struct NoteChange: Codable, Hashable, Sendable {
    var id: String
    var text: String
    var basedOn: Int64?
}

extension SyncClient {
    func note(_ id: String) -> Query<Note> {
        detail(id, of: Note.entity, APIRequest(.get, "/notes/\(id)"))
    }

    func notes(_ parameters: [String: QueryKey.Segment] = [:]) -> Query<[Note]> {
        query(Note.entity.keys.list(parameters), of: Note.entity, APIRequest(.get, "/notes"), as: [Note].self)
    }

    var notePages: InfiniteQuery<NotePage, String> {
        pages(Note.entity.keys.pages(), of: Note.entity, as: NotePage.self) { cursor in
            APIRequest(.get, "/notes", query: [("cursor", cursor)])
        } next: {
            $0.next
        }
    }

    var changeNote: Mutation<NoteChange, Note> {
        mutation(
            "notes.update",
            of: Note.entity,
            about: { $0.id },
            basis: { $0.basedOn },
            isLocking: true,
            show: { input, notes in notes.update(input.id) { $0.text = input.text } },
            request: { input, version in
                try APIRequest(
                    .patch,
                    "/notes/\(input.id)",
                    body: VersionedBody(["text": input.text], version: version)
                )
            },
            as: Note.self
        )
    }

    var addNote: Mutation<Note, Note> {
        mutation(
            "notes.create",
            of: Note.entity,
            about: { $0.id },
            show: { input, notes in notes.insert(input) },
            request: { input, _ in try APIRequest(.post, "/notes", body: input) },
            as: Note.self
        )
    }

    var deleteNote: Mutation<String, NoContent> {
        mutation(
            "notes.delete",
            of: Note.entity,
            about: { $0 },
            isLocking: true,
            isDeletion: true,
            show: { id, notes in notes.remove(id) },
            request: { id, version in APIRequest(.delete, "/notes/\(id)").onlyIf(version: version) },
            as: NoContent.self
        )
    }
}
