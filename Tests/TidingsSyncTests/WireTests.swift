import NIOCore
import NIOEmbedded
import Synchronization
import TestSupport
import Testing
import TidingsQuery
import TidingsTesting
import TidingsWire

@testable import TidingsClient
@testable import TidingsSync

/// A client whose broadcasts come over the real broadcast client, on sockets that a test moves.
private final class WireBench {
    final class Sent: ClientCore.Socket, Sendable {
        let dialect: Dialect
        private let state = Mutex<[String]>([])
        init(dialect: Dialect) { self.dialect = dialect }
        func send(_ text: [UInt8]) { state.withLock { $0.append(String(decoding: text, as: UTF8.self)) } }
        func ping() {}
        func close() {}
        var texts: [String] { state.withLock { $0 } }
    }

    private struct Attempt: Sendable {
        let core: NIOLoopBound<ClientCore>
        let generation: Int
        let sent: Sent
    }

    let loop = EmbeddedEventLoop()
    let clock = ManualClock()
    let executor = ManualExecutor()
    let network = FakeTransport()
    let broadcast: BroadcastClient
    let sync: SyncClient
    private let attempts: Heard<Attempt>
    private let telling: Task<Void, Never>

    init(_ dialect: Dialect) throws {
        let attempts = Heard<Attempt>()
        self.attempts = attempts
        var options = BroadcastClient.Configuration()
        options.eventLoopGroup = loop
        let broadcast = BroadcastClient(configuration: options) { core, generation, _ in
            let bound = NIOLoopBound(core, eventLoop: core.eventLoop)
            attempts.add(Attempt(core: bound, generation: generation, sent: Sent(dialect: dialect)))
        }
        self.broadcast = broadcast
        var configuration = SyncClient.Configuration(baseURL: "http://127.0.0.1:1")
        configuration.queries.clock = clock
        configuration.queries.taskExecutor = executor
        configuration.queries.startDate = Bench.start
        configuration.queries.defaults.retry = .never
        configuration.transport = network
        let sync = try SyncClient(configuration) { _, inbox in
            { channel, since in
                broadcast.subscribe(
                    to: channel,
                    since: since,
                    onUpdate: { inbox.put(.update(channel, $0)) },
                    handler: { inbox.put(.event($0)) }
                )
            }
        }
        self.sync = sync
        let changes = sync.queries.events(buffered: 4_096)
        telling = Task(executorPreference: executor) { await sync.listen(to: changes) }
        settle()
    }

    deinit { telling.cancel() }

    func settle() {
        for _ in 0..<3 {
            executor.drain()
            loop.run()
            _ = sync.work()
        }
        executor.drain()
    }

    func advance(_ duration: Duration) {
        settle()
        clock.advance(by: duration)
        loop.advanceTime(by: TimeAmount(duration))
        settle()
    }

    var sent: [String] { attempts.all.last?.sent.texts ?? [] }

    func open() {
        settle()
        guard let attempt = attempts.all.last else { return }
        attempt.core.value.opened(attempt.sent, generation: attempt.generation)
        settle()
    }

    func receive(_ text: String) {
        guard let attempt = attempts.all.last else { return }
        attempt.core.value.received(Array(text.utf8), generation: attempt.generation)
        settle()
    }

    func answer(_ json: String, at offset: UInt64? = nil) {
        for request in network.open { request.succeed(json, position: offset.map { "e:\($0)" }) }
        settle()
    }
}

private final class Heard<Element: Sendable>: Sendable {
    private let state = Mutex<[Element]>([])
    func add(_ element: Element) { state.withLock { $0.append(element) } }
    var all: [Element] { state.withLock { $0 } }
}

@Suite("Channels on the wire", .timeLimit(.patience))
struct WireTests {
    @Test(
        "with a server that keeps no events, what happened between two runs is fetched, whatever its answers say",
        arguments: [nil, 5] as [UInt64?]
    )
    func plainServerBetweenRuns(position: UInt64?) throws {
        let bench = try WireBench(.plain)
        bench.broadcast.connect()
        bench.open()
        let observer = QueryObserver(bench.sync.note("1"), in: bench.sync.queries)
        observer.start()
        bench.settle()
        bench.answer(Note.json("1", "a", 1), at: position)
        bench.receive(#"{"pong":1}"#)
        bench.answer(Note.json("1", "a", 1), at: position)
        #expect(bench.network.count == 2)
        #expect(!observer.isStale)
        // What `run()` does at its end, and the next one at its begin.
        bench.broadcast.disconnect()
        bench.advance(.seconds(10))
        bench.broadcast.connect()
        bench.open()
        bench.receive(#"{"pong":2}"#)
        bench.advance(.seconds(2))
        #expect(bench.network.count == 3)
        observer.stop()
    }

    @Test("a channel that the application hears by itself is told from where the cache stands all the same")
    func sharedWithTheApplication() throws {
        let bench = try WireBench(.extended)
        let own = bench.broadcast.subscribe(to: "note") { _ in }
        bench.broadcast.connect()
        bench.open()
        bench.receive(#"{"id":1,"subscribed":{"note":{"position":"e:5","recovered":false}}}"#)
        let observer = QueryObserver(bench.sync.note("1"), in: bench.sync.queries)
        observer.start()
        bench.settle()
        bench.answer(Note.json("1", "a", 1), at: 6)
        observer.stop()
        bench.settle()
        bench.receive(
            #"{"channel":"note","event":"updated","payload":{"entity_id":"1","version":2},"position":"e:7"}"#
        )
        bench.advance(.seconds(30))
        observer.start()
        bench.advance(.seconds(1))
        #expect(bench.network.count == 2)
        observer.stop()
        own.cancel()
        bench.settle()
    }

    @Test("a topic that is taken over within one turn is said to be subscribed, and nothing is lost")
    func takenOver() throws {
        let bench = try WireBench(.plain)
        bench.broadcast.connect()
        bench.open()
        let log = Log<String>()
        var first: RealtimeSync? = RealtimeSync(
            of: ["gifts"],
            on: "gift:1",
            onSubscribed: { log.add("first") },
            in: bench.sync
        )
        bench.settle()
        bench.receive(#"{"pong":1}"#)
        #expect(log.entries == ["first"])
        let key: QueryKey = ["gifts", "1"]
        bench.sync.queries.setData("a", for: Query<String>(key: key))
        withExtendedLifetime(first) {}
        first = nil
        // One turn of the engine: the first has gone, something happens, the second has come.
        let gift: ChannelName = "gift:1"
        bench.sync.inbox.put(.event(BroadcastEvent(channel: gift, name: .updated)))
        let second = RealtimeSync(of: ["gifts"], on: "gift:1", onSubscribed: { log.add("second") }, in: bench.sync)
        bench.settle()
        bench.advance(.seconds(5))
        #expect(log.entries == ["first", "second"])
        #expect(bench.sync.queries.entries(.exactly(key)).first?.isInvalidated == true)
        withExtendedLifetime(second) {}
    }
}
