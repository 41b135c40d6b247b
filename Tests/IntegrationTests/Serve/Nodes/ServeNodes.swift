import Foundation
import RedisTestSupport
import SocketTestSupport
import Synchronization
import Testing
import TidingsWire

/// Several `tidings serve` on one Redis, each a process of its own.
struct ServeNodes {
    let servers: [ServeProcess]

    /// Starts servers, all as they are by default but for the channels: everything counts, and anybody may publish.
    ///
    /// - Parameter urls: Where each of them finds Redis.
    static func start(on urls: [String], _ options: String...) async throws -> ServeNodes {
        var servers: [ServeProcess] = []
        for url in urls {
            let arguments = [
                "--backend=redis", "--redis-url=\(url)", "--channels-publishable=*", "--channels-streams=*",
            ]
            servers.append(try await ServeProcess.start(arguments + options))
        }
        return ServeNodes(servers: servers)
    }

    /// Starts servers that share a Redis.
    static func start(_ count: Int, on redis: RedisServer) async throws -> ServeNodes {
        let nodes = try await start(on: Array(repeating: redis.url, count: count))
        for server in nodes.servers { try await server.waitUntilReady() }
        return nodes
    }

    subscript(_ number: Int) -> ServeProcess { servers[number % servers.count] }

    func stop() async throws {
        for server in servers { #expect(try await server.stop() == 0) }
    }
}

extension RedisServer {
    /// Where servers find it.
    var url: String { "redis://127.0.0.1:\(port)" }
}

/// Publishes on and on, on one server after the other, while something goes wrong.
final class Traffic: Sendable {
    /// What the servers took: name and position.
    private let taken = Mutex<[(name: String, position: EventPosition)]>([])
    private let refusals = Atomic(0)
    private let isStopped = Atomic(false)

    /// Events that a server took, in the order of the answers.
    var published: [(name: String, position: EventPosition)] { taken.withLock { $0 } }
    /// How often a server said no.
    var refused: Int { refusals.load(ordering: .relaxed) }

    /// Publishes events of different names while a body runs, on servers in turn.
    func run<Result: Sendable>(
        on servers: [ServeProcess],
        channel: String = "order",
        _ body: () async throws -> Result
    ) async throws -> Result {
        isStopped.store(false, ordering: .relaxed)
        return try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { [self] in
                var number = 0
                while !isStopped.load(ordering: .relaxed) {
                    await publish("n\(number)", on: servers[number % servers.count], channel)
                    number += 1
                }
            }
            // The one that is on its way is waited for: nobody would know whether it comes, and after what.
            defer { isStopped.store(true, ordering: .relaxed) }
            return try await body()
        }
    }

    /// Publishes until it is taken: with a key, because the answer that says so may be lost.
    @discardableResult
    func insist(_ name: String, on server: ServeProcess, channel: String = "order") async throws -> EventPosition {
        var position: EventPosition?
        let key = UUID().uuidString
        try await eventually("\(name) is taken") {
            position = await publish(name, on: server, channel, key: key)
            return position != nil
        }
        return try #require(position)
    }

    @discardableResult
    private func publish(
        _ name: String,
        on server: ServeProcess,
        _ channel: String,
        key: String? = nil
    ) async -> EventPosition? {
        guard let position = await server.post(name, on: channel, key: key) else {
            refusals.add(1, ordering: .relaxed)
            return nil
        }
        taken.withLock { $0.append((name, position)) }
        return position
    }

    /// Waits until so many more events were taken.
    func flows(_ count: Int = 20) async throws {
        let before = published.count
        try await eventually("\(count) events are published") {
            self.published.count >= before + count
        }
    }
}
