import Foundation
import SocketTestSupport
import Synchronization
import TestSupport
import Testing
import TidingsBroadcast
import TidingsClient
import TidingsHummingbird
import TidingsWire

/// What clients and networks do to a server. After each fault the counts are back to what they were, and a client that
/// had nothing to do with it has noticed nothing. `FAULTS=full` makes more of each.
@Suite("Faults", .timeLimit(.patience), .serialized)
struct FaultTests {
    private static let isFull = ProcessInfo.processInfo.environment["FAULTS"] == "full"

    @Test("connections that are reset in the middle of a frame, or of their handshake")
    func resets() async throws {
        try await withBystander { server, _ in
            let frame = WebSocketFrame.encode(.text, Array(#"{"subscribe":["order"]}"#.utf8), mask: 3)
            let handshake = Array(UpgradeTests.handshake.utf8)
            try await Self.many(Self.isFull ? 2000 : 200) { number in
                let connection = try await RawConnection.connect(port: server.port)
                let bytes = handshake + frame + frame
                try await connection.send(Array(bytes.prefix(1 + number % (bytes.count - 1))))
                if number % (bytes.count - 1) > handshake.count {
                    _ = try await connection.receive(until: "\r\n\r\n")
                }
                await connection.reset()
            }
        }
    }

    @Test("upgrades that are none")
    func badUpgrades() async throws {
        let requests = [
            UpgradeTests.handshake.replacing("Version: 13", with: "Version: 12"),
            UpgradeTests.handshake.replacing("dGhlIHNhbXBsZSBub25jZQ==", with: "x"),
            UpgradeTests.handshake.replacing("/ws/broadcast", with: "/nowhere"),
            "GET / HTTP/1.1\r\nnonsense\r\n\r\n",
            "\u{16}\u{3}\u{1}\u{2}",
            "",
        ]
        try await withBystander { server, _ in
            try await Self.many(Self.isFull ? 20_000 : 600) { number in
                let connection = try await RawConnection.connect(port: server.port)
                let request = requests[number % requests.count]
                if !request.isEmpty { try await connection.send(request) }
                if request.hasPrefix("GET /") { _ = try await connection.receiveAll() }
                await connection.close()
            }
        }
    }

    @Test("a flood of pings from somebody who reads no pong")
    func pingFlood() async throws {
        try await withBystander { server, bystander in
            let flooder = try await RawConnection.connect(port: server.port, receiveBuffer: 4096)
            try await flooder.send(UpgradeTests.handshake)
            _ = try await flooder.receive(until: "\r\n\r\n")
            try await flooder.setReading(false)
            let ping = WebSocketFrame.encode(.ping, Array(repeating: 7, count: 125), mask: 1)
            let burst = Array(repeatElement(ping, count: 500).joined())
            // The system takes what it takes: the server stops reading, so sending it all would wait for ever.
            for _ in 0..<(Self.isFull ? 400 : 40) { flooder.sendWithoutWaiting(burst) }
            for _ in 0..<20 { try await bystander.roundTrip() }
            await flooder.reset()
        }
    }

    @Test("a reader with a closed window is found by the heartbeat, though it never closes its socket")
    func zeroWindow() async throws {
        let hub = BroadcastHub.Configuration.make { configuration in
            configuration.heartbeatInterval = .seconds(1)
            configuration.heartbeatTimeout = .seconds(2)
        }
        try await TestServer.run(hub: hub) { server in
            let stuck = try await RawConnection.connect(port: server.port, receiveBuffer: 4096)
            try await stuck.send(UpgradeTests.handshake)
            _ = try await stuck.receive(until: "\r\n\r\n")
            try await stuck.send(
                WebSocketFrame.encode(.text, Array(#"{"subscribe":["order"],"ping":1}"#.utf8), mask: 3)
            )
            _ = try await stuck.receive(until: "pong")
            try await stuck.setReading(false)
            let filler = JSONValue.string(String(repeating: "x", count: 60_000))
            var number = 0
            try await eventually("the stuck reader is gone") {
                number += 1
                try await server.broadcast.broadcast(
                    "updated",
                    on: "order",
                    ["entity_id": .string("\(number)"), "filler": filler]
                )
                return server.broadcast.hub.connectionCount == 0
            }
            #expect(server.broadcast.hub.channels.isEmpty)
            await stuck.close()
        }
    }

    @Test("of eleven readers one reads a kilobyte a second: the others do not wait, and it is told what counts")
    func slowReader() async throws {
        let count = Self.isFull ? 60_000 : 15_000
        try await TestServer.run { server in
            var quick: [TestSocket] = []
            for _ in 0..<10 { quick.append(try await TestSocket.connect(to: server.url)) }
            for socket in quick { try await socket.subscribe(to: "order") }
            let slow = try await RawConnection.connect(port: server.port, receiveBuffer: 4096)
            try await slow.send(UpgradeTests.handshake)
            _ = try await slow.receive(until: "\r\n\r\n")
            try await slow.send(WebSocketFrame.encode(.text, Array(#"{"subscribe":["order"],"ping":1}"#.utf8), mask: 3))
            _ = try await slow.receive(until: "pong")
            let pace = Task { try await slow.read(bytesPerSecond: 1024) }

            // Much more than the system holds back for a reader, which is some megabytes.
            let filler = JSONValue.string(String(repeating: "x", count: 1000))
            let round = 500
            for first in stride(from: 0, to: count, by: round) {
                for number in first..<first + round {
                    let payload: [String: JSONValue] = [
                        "entity_id": .string("\(number % 50)"), "number": .integer(number), "filler": filler,
                    ]
                    try await server.broadcast.broadcast("updated", on: "order", EventPayload(payload))
                }
                // The quick ones have every event before the next round, whatever the slow one does.
                for socket in quick {
                    for _ in 0..<round { _ = try await socket.receive() }
                }
            }
            pace.cancel()
            _ = await pace.result
            try await slow.setReading(true)

            let told = try await Self.numbers(from: slow, until: count - 1)
            #expect(told.count < count / 2)
            #expect(Set(told.suffix(50)) == Set(count - 50..<count))
            #expect(server.broadcast.hub.subscriberCount(of: "order") == 11)
            await slow.close()
        }
    }

    /// The numbers of the events that a connection is told of, up to one.
    private static func numbers(from connection: RawConnection, until last: Int) async throws -> [Int] {
        struct Numbered: Decodable {
            let number: Int
        }
        var reader = WebSocketReader(from: .server, maximumMessageBytes: 1 << 20)
        var numbers: [Int] = []
        while numbers.last != last, let bytes = try await connection.receive() {
            try bytes.withUnsafeBytes { bytes in
                try reader.read(bytes) { message in
                    guard case .text(let text) = message,
                        case .event(let event) = Dialect.plain.decodeServerMessage(text),
                        let numbered = try? event.payload.decode(Numbered.self)
                    else { return }
                    numbers.append(numbered.number)
                }
            }
        }
        return numbers
    }

    @Test("a network that swallows everything is noticed by both ends, and the client misses nothing")
    func halfOpen() async throws {
        let hub = BroadcastHub.Configuration.make { configuration in
            configuration.heartbeatInterval = .seconds(1)
            configuration.heartbeatTimeout = .seconds(2)
        }
        var configuration = BroadcastClient.Configuration()
        configuration.heartbeatGrace = .seconds(1)
        configuration.backoff = Backoff(base: .milliseconds(20), maximum: .milliseconds(50))
        let heard = Inbox<BroadcastEvent>()
        let network = try await PortHolder.reserve()
        let client = try BroadcastClient(
            url: "ws://127.0.0.1:\(network.port)/ws/broadcast",
            configuration: configuration
        )
        let subscription = client.subscribe(to: "order") { heard.put($0) }
        try await TestServer.run(hub: hub) { server in
            try await network.forward(to: server.port) {
                client.connect()
                try await eventually("the client listens") { server.broadcast.hub.subscriberCount(of: "order") == 1 }
                // The client has heard something, so it knows where it is: before that nothing is promised.
                try await server.broadcast.broadcast("updated", on: "order", ["number": 0])
                #expect(try await heard.next()?.payload == ["number": 0])
                network.swallow()
                for number in 1...5 {
                    try await server.broadcast.broadcast("updated", on: "order", ["number": .integer(number)])
                }
                try await eventually("the client has noticed") { client.state == .reconnecting }
                try await eventually("the server has noticed") { server.broadcast.hub.connectionCount == 0 }
                network.passOn()
                for number in 1...5 {
                    #expect(try await heard.next()?.payload == ["number": .integer(number)])
                }
            }
            client.disconnect()
        }
        subscription.cancel()
    }

    // MARK: Parts

    /// Runs a fault beside a client that has nothing to do with it.
    private func withBystander(_ body: @Sendable (TestServer, TestSocket) async throws -> Void) async throws {
        try await TestServer.run { server in
            let bystander = try await TestSocket.connect(to: server.url)
            try await bystander.subscribe(to: "order")
            try await body(server, bystander)
            try await server.broadcast.broadcast("after", on: "order")
            #expect(try await bystander.receive() == #"{"channel":"order","event":"after","payload":{}}"#)
            try await eventually("only the bystander is left") { server.broadcast.hub.connectionCount == 1 }
            #expect(server.broadcast.hub.channels == ["order": 1])
            bystander.close()
        }
    }

    /// Does something many times, some of them at the same time.
    private static func many(_ count: Int, _ body: @escaping @Sendable (Int) async throws -> Void) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            for number in 0..<count {
                if number >= 32 { try await group.next() }
                group.addTask { try await body(number) }
            }
            try await group.waitForAll()
        }
    }
}
