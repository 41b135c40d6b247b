import BistroAPI
import Foundation
import HTTPTypes
import Logging
import SocketTestSupport
import Synchronization
import TestSupport
import TidingsSync

/// A client with something on its screen, behind proxies of its own.
final class SyncScreen: Sendable {
    /// What requests go through.
    let requests: FaultyProxy
    /// What broadcasts come through.
    let broadcasts: FaultyProxy
    let sync: SyncClient
    /// What was asked for, such as `GET /orders`.
    let asked = RequestLog()
    /// What of that was answered: not what was sent on a connection whose end had not been noticed, and tried again.
    let answered = RequestLog()
    private let running = Mutex<Task<Void, Never>?>(nil)

    /// Shows what a server has.
    ///
    /// - Parameters:
    ///   - port: Where the server is.
    ///   - noticesSilence: Whether a connection without a sign of life for a second and a half is given up. On a machine
    ///     that does much else that happens to a good one too, so only tests of silence have it.
    ///   - configure: What is to be different.
    init(
        of port: Int,
        noticesSilence: Bool = false,
        _ configure: (inout SyncClient.Configuration) -> Void = { _ in }
    ) async throws {
        requests = try await FaultyProxy(to: port)
        broadcasts = try await FaultyProxy(to: port)
        var configuration = SyncClient.Configuration(baseURL: "http://127.0.0.1:\(requests.port)")
        configuration.broadcastURL = "ws://127.0.0.1:\(broadcasts.port)/ws/broadcast"
        configuration.broadcast.backoff = Backoff(base: .milliseconds(5), maximum: .milliseconds(100))
        configuration.broadcast.connectTimeout = .seconds(2)
        // Until the server has said its own.
        configuration.broadcast.heartbeatInterval = .seconds(1)
        configuration.broadcast.heartbeatGrace = noticesSilence ? .milliseconds(500) : .patience
        configuration.broadcast.logger = Logger(label: "screen") { _ in SwiftLogNoOpLogHandler() }
        configuration.logger = configuration.broadcast.logger
        configuration.queries.defaults.retry = .times(3, delay: .fixed(.milliseconds(20)))
        configuration.mutations.retry = RetryPolicy(retries: nil, delay: .fixed(.milliseconds(20)))
        configuration.throttle = .milliseconds(20)
        configuration.refetchBackoff = Backoff(base: .milliseconds(20), maximum: .milliseconds(200))
        configuration.transport = LoggingTransport(asked, answered, timeout: .seconds(10))
        configure(&configuration)
        let sync = try SyncClient(configuration)
        self.sync = sync
        run()
    }

    deinit {
        running.withLock(\.self)?.cancel()
    }

    /// Begins to hear, or begins anew.
    func run() {
        let sync = sync
        running.withLock { running in
            running?.cancel()
            running = Task { await sync.run() }
        }
    }

    /// Hears nothing until it is run again.
    func pause() {
        running.withLock(\.self)?.cancel()
    }

    /// Waits until broadcasts arrive.
    func connected() async throws {
        for await state in sync.broadcast.stateChanges where state == .connected { return }
        throw TestFailure("the client did not connect")
    }

    /// Waits until the connection is lost.
    func disconnected() async throws {
        for await state in sync.broadcast.stateChanges where state != .connected { return }
        throw TestFailure("the client did not lose its connection")
    }

    func observe<Value>(_ query: Query<Value>) -> QueryObserver<Value> {
        let observer = QueryObserver(query, in: sync.queries)
        observer.start()
        return observer
    }

    /// Nothing is heard and asked any more.
    func end() async {
        let running = running.withLock(\.self)
        running?.cancel()
        await running?.value
        for proxy in [requests, broadcasts] { proxy.close() }
    }
}

extension QueryObserver {
    /// Waits until what is known is so.
    func shows(
        _ what: String,
        within timeout: Duration = .patience,
        _ condition: @escaping @Sendable (QuerySnapshot<Value>) -> Bool
    ) async throws {
        let snapshots = snapshots
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                for await snapshot in snapshots where condition(snapshot) { return }
                throw TestFailure("it was never shown that \(what)")
            }
            group.addTask {
                try await Task.sleep(for: timeout)
                throw TestFailure("it was not shown within \(timeout) that \(what)")
            }
            defer { group.cancelAll() }
            try await group.next()
        }
    }
}

/// Requests, in order.
final class RequestLog: Sendable {
    private let lines = Mutex<[String]>([])

    var all: [String] { lines.withLock { $0 } }
    func count(_ line: String) -> Int { all.count { $0 == line } }
    func add(_ line: String) { lines.withLock { $0.append(line) } }
    func clear() { lines.withLock { $0 = [] } }
}

private struct LoggingTransport: HTTPTransport {
    let asked: RequestLog
    let answered: RequestLog
    let transport: AsyncHTTPClientTransport

    init(_ asked: RequestLog, _ answered: RequestLog, timeout: Duration) {
        (self.asked, self.answered) = (asked, answered)
        transport = AsyncHTTPClientTransport(timeout: timeout)
    }

    func send(_ request: HTTPRequest, body: [UInt8], mostBytes: Int) async throws -> HTTPTransportAnswer {
        let line = "\(request.method) \(request.path ?? "")"
        asked.add(line)
        let answer = try await transport.send(request, body: body, mostBytes: mostBytes)
        answered.add(line)
        return answer
    }
}
