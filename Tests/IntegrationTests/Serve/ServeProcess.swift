import AsyncHTTPClient
import Foundation
import NIOCore
import NIOHTTP1
import SocketTestSupport
import TestSupport
import Testing
import TidingsWire

/// A `tidings serve` in a process of its own, on a free port.
struct ServeProcess {
    let program: RunningProgram
    /// Where clients connect.
    let url: String

    /// Starts a server, and waits until it listens.
    static func start(_ arguments: String...) async throws -> ServeProcess {
        try await start(arguments)
    }

    /// Starts a server, and waits until it listens.
    static func start(_ arguments: [String]) async throws -> ServeProcess {
        let options = ["serve", "--port", "0", "--drain-window", "0s"] + arguments
        let program = try RunningProgram.start(try Programs.built("tidings"), options)
        let line = try await program.line(containing: "listening on ")
        return ServeProcess(program: program, url: String(line.dropFirst("listening on ".count)))
    }

    /// Stops it as an operator would.
    func stop() async throws -> Int32 {
        program.interrupt()
        return try await program.exitStatus()
    }

    /// Publishes with `tidings publish`.
    ///
    /// - Returns: The event's position.
    func publish(_ event: String, on channel: String) async throws -> String {
        let arguments = ["publish", url, channel, #"{"entity_id":"42"}"#, "--event", event]
        let program = try RunningProgram.start(try Programs.built("tidings"), arguments)
        let position = try await program.line(containing: ":")
        guard try await program.exitStatus() == 0 else { throw TestFailure("it was not published") }
        return position
    }
}

// MARK: - HTTP

extension ServeProcess {
    var port: Int {
        get throws { try #require(URL(string: url)?.port) }
    }

    /// Sends a request, and gives everything that comes back.
    ///
    /// - Parameter line: Method and path.
    func request(_ line: String, _ headers: [String] = [], _ body: String = "") async throws -> String {
        let connection = try await RawConnection.connect(port: try port)
        let fields = ["Host: a", "Connection: close", "Content-Length: \(body.utf8.count)"] + headers
        try await connection.send("\(line) HTTP/1.1\r\n\(fields.joined(separator: "\r\n"))\r\n\r\n\(body)")
        return String(decoding: try await connection.receiveAll(), as: UTF8.self)
    }

    /// Publishes with `POST /broadcast`.
    ///
    /// - Parameters:
    ///   - event: Its name.
    ///   - channel: Where it happens.
    ///   - key: The same for each time that the same event is published; nil if that is only once.
    /// - Returns: The event's position; nil if the server says no, or is gone.
    func post(_ event: String, on channel: String, key: String? = nil) async -> EventPosition? {
        guard let port = try? port else { return nil }
        var request = HTTPClientRequest(url: "http://127.0.0.1:\(port)/broadcast")
        request.method = .POST
        request.headers.add(name: "Content-Type", value: "application/json")
        if let key { request.headers.add(name: "Idempotency-Key", value: key) }
        let body = #"{"channel":"\#(channel)","event":"\#(event)","payload":{"entity_id":"\#(event)"}}"#
        request.body = .bytes(ByteBuffer(string: body))
        let response = try? await Self.client.execute(request, timeout: TimeAmount(.patience))
        guard response?.status == .accepted else { return nil }
        return response?.headers.first(name: "Tidings-Position").flatMap { EventPosition($0) }
    }

    /// Does not try again for long where nobody listens.
    private static let client = {
        var configuration = HTTPClient.Configuration()
        configuration.connectionPool.retryConnectionEstablishment = false
        return HTTPClient(configuration: configuration)
    }()

    /// Whether it says that it can do its work.
    var isReady: Bool {
        get async throws { try await request("GET /readyz").hasPrefix("HTTP/1.1 200") }
    }

    func waitUntilReady(_ isReady: Bool = true) async throws {
        try await eventually("the server is \(isReady ? "ready" : "not ready")") {
            try await self.isReady == isReady
        }
    }
}
