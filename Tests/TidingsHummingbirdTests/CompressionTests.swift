import NIOCore
import SocketTestSupport
import TestSupport
import Testing
import TidingsBroadcast
import TidingsClient
import TidingsCompression
import TidingsHummingbird
import TidingsWire

@Suite("Compressed messages on live sockets", .timeLimit(.patience))
struct CompressionTests {
    private static let text = String(repeating: "the same again and again, ", count: 1000)
    private static let upgrade = """
        GET /ws/broadcast HTTP/1.1\r
        Host: localhost\r
        Upgrade: websocket\r
        Connection: Upgrade\r
        Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r
        Sec-WebSocket-Version: 13\r

        """

    private func handshake(_ server: TestServer, extensions: String?) async throws -> (RawConnection, String) {
        let connection = try await RawConnection.connect(port: server.port)
        let line = extensions.map { "Sec-WebSocket-Extensions: \($0)\r\n" } ?? ""
        try await connection.send(Self.upgrade + line + "\r\n")
        return (connection, try await connection.receive(until: "\r\n\r\n"))
    }

    @Test("everyone hears the same, compressed or not")
    func conversation() async throws {
        try await TestServer.run(hub: .make { $0.compressesMessages = true }) { server in
            let sockets = [
                try await TestSocket.connect(to: server.url, offersCompression: true),
                try await TestSocket.connect(to: server.url, offersCompression: true),
                try await TestSocket.connect(to: server.url),
            ]
            for socket in sockets { try await socket.subscribe(to: "order") }
            for number in 0..<50 {
                try await server.broadcast.broadcast(
                    "updated",
                    on: "order",
                    ["number": .string("\(number)"), "text": .string(Self.text)]
                )
            }
            for number in 0..<50 {
                var heard: Set<String> = []
                for socket in sockets { heard.insert(try await socket.receive()) }
                #expect(heard.count == 1)
                #expect(
                    heard.first?.contains("\"number\":\"\(number)\"") == true
                        && heard.first?.contains(Self.text) == true
                )
            }
            // And the other way round: a long request is compressed by the client.
            let names = (0..<200).map { "\"channel-with-a-long-name:\($0)\"" }.joined(separator: ",")
            sockets[0].send("{\"subscribe\":[\(names)]}")
            try await sockets[0].roundTrip()
            #expect(server.broadcast.hub.channels.count == 201)
        }
    }

    @Test("compression is agreed on only where the server is told to and the client offers it")
    func negotiation() async throws {
        try await TestServer.run { server in
            let (_, answer) = try await handshake(server, extensions: "permessage-deflate")
            #expect(answer.hasPrefix("HTTP/1.1 101") && !answer.lowercased().contains("extensions"))
        }
        try await TestServer.run(hub: .make { $0.compressesMessages = true }) { server in
            let (_, none) = try await handshake(server, extensions: nil)
            #expect(none.hasPrefix("HTTP/1.1 101") && !none.lowercased().contains("extensions"))
            let (_, agreed) = try await handshake(
                server,
                extensions: "x-unknown, permessage-deflate; client_max_window_bits"
            )
            #expect(agreed.contains("permessage-deflate; server_no_context_takeover; client_no_context_takeover"))
            let (_, broken) = try await handshake(server, extensions: "permessage-deflate; \"")
            #expect(broken.hasPrefix("HTTP/1.1 400"))
        }
    }

    @Test("a small message that would become huge ends its connection and nobody else's")
    func bomb() async throws {
        try await TestServer.run(hub: .make { $0.compressesMessages = true }) { server in
            let bystander = try await TestSocket.connect(to: server.url, offersCompression: true)
            try await bystander.roundTrip()
            let (attacker, _) = try await handshake(server, extensions: "permessage-deflate")
            let bomb = MessageDeflater().deflate(Array(repeating: UInt8(ascii: " "), count: 16 * 1024 * 1024))
            #expect(bomb.count < 64 * 1024)
            try await attacker.send(WebSocketFrame.encode(.text, bomb, isCompressed: true, mask: 7))
            #expect(try await attacker.receiveCloseCode() == .messageTooBig)

            let (confused, _) = try await handshake(server, extensions: "permessage-deflate")
            try await confused.send(WebSocketFrame.encode(.text, [0xFF, 0xFF, 0xFF], isCompressed: true, mask: 7))
            #expect(try await confused.receiveCloseCode() == .invalidText)
            try await bystander.roundTrip()
        }
    }

    @Test("a reader that falls behind gets its newest hints compressed, too")
    func slowReader() async throws {
        try await TestServer.run(hub: .make { $0.compressesMessages = true }) { server in
            let (slow, _) = try await handshake(server, extensions: "permessage-deflate")
            try await slow.send(WebSocketFrame.encode(.text, Array(#"{"subscribe":["order"],"ping":1}"#.utf8), mask: 7))
            _ = try await slow.receive(until: "pong")
            try await slow.setReading(false)
            var random = SystemRandomNumberGenerator()
            for number in 0..<20_000 {
                // Nothing that compresses well: the socket has to fill.
                let noise = (0..<8).map { _ in String(random.next(), radix: 36) }.joined()
                try await server.broadcast.broadcast(
                    "updated",
                    on: "order",
                    ["entity_id": .string("\(number % 100)"), "number": .string("\(number)"), "noise": .string(noise)]
                )
            }
            try await slow.setReading(true)
            var reader = WebSocketReader(from: .server, maximumMessageBytes: 1 << 20, allowsCompression: true)
            let inflater = MessageInflater(maximumMessageBytes: 1 << 20)
            var newest: [String: Int] = [:]
            while !(19_900..<20_000).allSatisfy({ newest["\($0 % 100)"] == $0 }) {
                let bytes = try #require(try await slow.receive())
                try bytes.withUnsafeBytes { bytes in
                    try reader.read(bytes) { message throws(WebSocketViolation) in
                        guard case .text(let text) = try inflater.restore(message),
                            case .event(let event) = Dialect.plain.decodeServerMessage(text),
                            let entity = event.payload.entityID,
                            let number = event.payload.string("number").flatMap(Int.init)
                        else { return }
                        newest[entity] = number
                    }
                }
            }
            #expect(newest.count == 100)
        }
    }
}
