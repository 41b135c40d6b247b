import AsyncHTTPClient
import Foundation
import NIOCore
import NIOHTTP1
import SocketTestSupport
import TestSupport

/// A server of entities in a process of its own.
struct EntityProcess: Sendable {
    let program: RunningProgram
    private let store: String
    private let port: Int

    static func start(_ store: String, _ options: [String] = [], port: Int? = nil) async throws -> EntityProcess {
        let port = try port ?? FreePort.find()
        let program = try RunningProgram.start(
            try Programs.built("entity-server"),
            ["--store", store, "--port", "\(port)"] + options
        )
        try await program.line(containing: "http://127.0.0.1:\(port)/")
        return EntityProcess(program: program, store: store, port: port)
    }

    /// The same server again, on the same port and the same database. Kills this one if it lives.
    func restarted() async throws -> EntityProcess {
        program.kill()
        _ = try await program.exitStatus()
        return try await Self.start(store, port: port)
    }

    func stop() async throws {
        program.interrupt()
        guard try await program.exitStatus() == 0 else { throw TestFailure("the server did not end well") }
    }

    var broadcastURL: String { "ws://127.0.0.1:\(port)/ws/broadcast" }
}

// MARK: - Requests

extension EntityProcess {
    /// Creates an order; returns its identifier.
    func openOrder(id: UUID? = nil, retrying: Bool = false) async throws -> String {
        var body = ["table": "7"]
        if let id { body["id"] = id.uuidString.lowercased() }
        let key = UUID().uuidString
        for attempt in 1... {
            do {
                let (object, _) = try await send(.POST, "/orders", body, [("Idempotency-Key", key)])
                guard let id = object["id"] as? String else { throw TestFailure("the order has no identifier") }
                return id
            } catch  where retrying && attempt < 100 {
                continue
            }
        }
        throw TestFailure("the order was not created")
    }

    /// The identifiers of all orders.
    func orders() async throws -> [String] {
        let (object, _) = try await send(.GET, "/orders?limit=200")
        return (object["items"] as? [[String: Any]] ?? []).compactMap { $0["id"] as? String }
    }

    /// Up to where a list takes events into account.
    func position() async throws -> String {
        guard let position = try await send(.GET, "/orders?limit=1").headers.first(name: "Tidings-Position") else {
            throw TestFailure("the list has no position")
        }
        return position
    }

    /// Makes the server die at a point of the next change.
    func arm(_ point: String) async throws {
        try await send(.POST, "/die/\(point)")
    }

    /// How many sessions hold the channel of all orders.
    func listeners() async throws -> Int {
        let (object, _) = try await send(.GET, "/broadcast/stats")
        return (object["channels"] as? [String: Int])?["order"] ?? 0
    }

    /// What a client is told that comes back: whether that is all, and each event it missed, with its entity.
    ///
    /// - Parameter count: How many events are waited for, those included that happen after it came back.
    func missed(since position: String, atLeast count: Int = 0) async throws -> [String] {
        let socket = try await TestSocket.connect(to: broadcastURL, subprotocols: ["tidings.v1"])
        defer { socket.close() }
        _ = try await socket.receive()
        socket.send(#"{"id":1,"subscribe":["order"],"since":{"order":"\#(position)"}}"#)
        var told = [try await socket.receive().contains(#""recovered":true"#) ? "recovered" : "not recovered"]
        socket.send(#"{"id":2,"ping":1}"#)
        var hasAnswered = false
        while !hasAnswered || told.count <= count {
            let message = try await socket.receive()
            guard let object = try JSONSerialization.jsonObject(with: Data(message.utf8)) as? [String: Any] else {
                continue
            }
            if let event = object["event"] as? String, let payload = object["payload"] as? [String: Any] {
                told.append("\(event) \(payload["entity_id"] ?? "")")
            } else {
                hasAnswered = true
            }
        }
        return told
    }

    @discardableResult
    private func send(
        _ method: HTTPMethod,
        _ path: String,
        _ body: [String: String]? = nil,
        _ headers: [(String, String)] = []
    ) async throws -> (object: [String: Any], headers: HTTPHeaders) {
        var request = HTTPClientRequest(url: "http://127.0.0.1:\(port)\(path)")
        request.method = method
        // A kept connection may be one to a server that was killed since.
        request.headers.add(name: "Connection", value: "close")
        for (name, value) in headers { request.headers.add(name: name, value: value) }
        if let body {
            request.headers.add(name: "Content-Type", value: "application/json")
            request.body = .bytes(ByteBuffer(bytes: try JSONSerialization.data(withJSONObject: body)))
        }
        let response = try await HTTPClient.shared.execute(request, timeout: TimeAmount(.patience))
        let bytes = try await response.body.collect(upTo: 1 << 22)
        guard (200..<300).contains(response.status.code) else {
            throw TestFailure("\(method) \(path) answered \(response.status.code): \(String(buffer: bytes))")
        }
        let object = try? JSONSerialization.jsonObject(with: Data(bytes.readableBytesView)) as? [String: Any]
        return (object ?? [:], response.headers)
    }
}
