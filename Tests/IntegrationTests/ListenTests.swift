import Foundation
import SocketTestSupport
import TestSupport
import Testing

@Suite("Programs that listen", .timeLimit(.patience))
struct ListenTests {
    @Test("tidings listen prints events as JSON lines, also after the server was killed, and ends when interrupted")
    func listen() async throws {
        var server = try await BistroServer.start()
        let listener = try RunningProgram.start(
            try Programs.built("tidings"),
            ["listen", server.broadcastURL, "order"]
        )
        try await listener.line(containing: "connected", from: listener.errors)
        try await Self.waitForSubscriber(of: server)

        let order = try await server.openOrder(table: "7")
        let line = try await listener.line(containing: order)
        #expect(line == #"{"channel":"order","event":"created","payload":{"entity_id":"\#(order)","version":1}}"#)

        server = try await server.killAndRestart()
        // What happens before the listener is back is told when it is.
        try await server.request("PATCH", "/orders/\(order)", ["note": "no onions"])
        #expect(try await listener.line(containing: "event").contains(#""event":"updated""#))

        listener.interrupt()
        #expect(try await listener.exitStatus() == 0)
        #expect(try await server.stop() == 0)
    }

    @Test("tidings listen says why a server refuses and exits with 1")
    func refused() async throws {
        let server = try await BistroServer.start()
        let url = "ws://127.0.0.1:\(server.port)/nowhere"
        let listener = try RunningProgram.start(try Programs.built("tidings"), ["listen", url, "order"])
        try await listener.line(containing: "404", from: listener.errors)
        #expect(try await listener.exitStatus() == 1)
        #expect(try await server.stop() == 0)
    }

    @Test(
        "tidings listen refuses wrong arguments with 64",
        arguments: [
            ["http://127.0.0.1/ws/broadcast", "order"], ["ws://127.0.0.1/ws/broadcast", "two words"],
            ["ws://127.0.0.1/ws/broadcast"], [],
        ]
    )
    func wrongArguments(arguments: [String]) async throws {
        let listener = try RunningProgram.start(try Programs.built("tidings"), ["listen"] + arguments)
        try await listener.line(containing: "Error:", from: listener.errors)
        #expect(try await listener.exitStatus() == 64)
    }

    @Test("tidings listen says in a line that nobody is there, and ends when nobody reads what it prints")
    func nobody() async throws {
        let port = try FreePort.find()
        let lonely = try RunningProgram.start(
            try Programs.built("tidings"),
            ["listen", "ws://127.0.0.1:\(port)/ws/broadcast", "order"]
        )
        let line = try await lonely.line(containing: "not connected", from: lonely.errors)
        #expect(line.count < 200, "\(line)")
        lonely.interrupt()
        #expect(try await lonely.exitStatus() == 0)
    }

    @Test("a channel that is named twice is printed once, and what is said can be shown")
    func namedTwice() async throws {
        let server = try await BistroServer.start()
        let listener = try RunningProgram.start(
            try Programs.built("tidings"),
            ["listen", "--debug", server.broadcastURL, "order", "order"]
        )
        try await listener.line(containing: "received: reply to request 1, order subscribed", from: listener.errors)
        let order = try await server.openOrder(table: "7")
        try await listener.line(containing: order)
        try await server.request("PATCH", "/orders/\(order)", ["note": "no onions"])
        #expect(try await listener.line(containing: order).contains(#""event":"updated""#))
        listener.interrupt()
        #expect(try await listener.exitStatus() == 0)
        #expect(try await server.stop() == 0)
    }

    @Test("a client in another language subscribes, hears, unsubscribes and hears no more", .needs(.python))
    func python() async throws {
        let server = try await BistroServer.start()
        let client = try RunningProgram.start(
            try Tool.python.require(),
            ["-u", "-c", Self.script, server.broadcastURL]
        )
        try await client.line(containing: "subscribed")
        let order = try await server.openOrder(table: "7")
        let event = try await client.line(containing: "event ")
        #expect(event.contains(order) && event.contains("created"))
        try await client.line(containing: "unsubscribed")
        try await server.request("PATCH", "/orders/\(order)", ["note": "no onions"])
        try await client.line(containing: "asking")
        #expect(try await client.line(containing: "next ") == #"next {"pong": 2}"#)
        #expect(try await client.exitStatus() == 0)
        #expect(try await server.stop() == 0)
    }

    /// After it has unsubscribed, the change is made; only then the script asks for a pong: an event that was still
    /// coming would come before it.
    private static let script = """
        import json, sys, urllib.request
        from websockets.sync.client import connect
        url = sys.argv[1]
        with connect(url) as socket:
            socket.send(json.dumps({"subscribe": ["order"], "ping": 1}))
            assert json.loads(socket.recv(20)) == {"pong": 1}
            print("subscribed")
            print("event", socket.recv(20))
            socket.send(json.dumps({"unsubscribe": ["order"], "ping": 1}))
            assert json.loads(socket.recv(20)) == {"pong": 1}
            print("unsubscribed")
            orders = url.replace("ws://", "http://").replace("/ws/broadcast", "/orders")
            while "no onions" not in urllib.request.urlopen(orders, timeout=20).read().decode():
                pass
            print("asking")
            socket.send(json.dumps({"ping": 2}))
            print("next", json.dumps(json.loads(socket.recv(20))))
        """

    private static func waitForSubscriber(of server: BistroServer) async throws {
        try await eventually("somebody listens on order") {
            try await server.request("GET", "/broadcast/stats")["channels"] as? [String: Int] == ["order": 1]
        }
    }
}
