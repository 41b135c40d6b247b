import SocketTestSupport
import TestSupport
import Testing
import TidingsBroadcast
import TidingsHummingbird
import TidingsWire

@Suite("A server that goes away", .timeLimit(.patience))
struct DrainTests {
    @Test("is not ready, refuses new sockets, and closes the open ones with 4000 after their last events")
    func drain() async throws {
        try await TestServer.run(hub: .make { $0.drainWindow = .seconds(2) }) { server in
            var sockets: [TestSocket] = []
            for _ in 0..<20 {
                let socket = try await TestSocket.connect(to: server.url)
                try await socket.subscribe(to: "order")
                sockets.append(socket)
            }
            try await server.broadcast.broadcast("last", on: "order")
            await server.shutDown()
            try await eventually("the server drains") { server.broadcast.hub.isDraining }

            let readiness = try await EndpointTests.get("/readyz", server)
            #expect(readiness.status == 503)
            #expect(readiness.body.contains("draining"))
            #expect(try await EndpointTests.get("/healthz", server).status == 200)
            let late = try await RawConnection.connect(port: server.port)
            try await late.send(UpgradeTests.handshake)
            let refusal = String(decoding: try await late.receiveAll(), as: UTF8.self)
            #expect(refusal.hasPrefix("HTTP/1.1 503 "))
            #expect(refusal.contains("draining") && refusal.lowercased().contains("retry-after"))

            for socket in sockets {
                #expect(try await socket.receive().contains("last"))
                #expect(try await socket.end().code == .draining)
            }
        }
    }

    @Test("cuts off peers that do not answer, in time")
    func unwilling() async throws {
        try await TestServer.run(hub: .make { $0.closeTimeout = .milliseconds(200) }) { server in
            let stubborn = try await RawConnection.connect(port: server.port)
            try await stubborn.send(UpgradeTests.handshake)
            _ = try await stubborn.receive(until: "\r\n\r\n")
            await server.shutDown()
            let last = try await stubborn.receiveAll()
            #expect(last.starts(with: WebSocketFrame.close(.draining, reason: "the server is draining")))
        }
    }

    @Test("a full server says so at the upgrade, and has room again when somebody has gone")
    func full() async throws {
        try await TestServer.run(hub: .make { $0.connections = 2 }) { server in
            let sockets = [try await TestSocket.connect(to: server.url), try await TestSocket.connect(to: server.url)]
            for socket in sockets { try await socket.roundTrip() }
            let third = try await RawConnection.connect(port: server.port)
            try await third.send(UpgradeTests.handshake)
            let refusal = String(decoding: try await third.receiveAll(), as: UTF8.self)
            #expect(refusal.hasPrefix("HTTP/1.1 503 "))
            #expect(refusal.contains("server_full"))
            sockets[0].close()
            try await eventually("there is room") { server.broadcast.hub.refusal == nil }
            let fourth = try await TestSocket.connect(to: server.url)
            try await fourth.roundTrip()
            for socket in [sockets[1], fourth] { socket.close() }
        }
    }
}
