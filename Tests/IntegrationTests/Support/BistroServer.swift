import AsyncHTTPClient
import Foundation
import NIOCore
import NIOHTTP1
import TestSupport

/// The demo as a process of its own, with a database of its own.
final class BistroServer: Sendable {
    let port: Int
    private let program: RunningProgram
    /// Where the database is: it goes with the last server that has it.
    private let folder: TemporaryFolder

    var page: String { "http://127.0.0.1:\(port)/" }
    var broadcastURL: String { "ws://127.0.0.1:\(port)/ws/broadcast" }

    private init(program: RunningProgram, port: Int, folder: TemporaryFolder) {
        self.program = program
        self.port = port
        self.folder = folder
    }

    deinit {
        program.kill()
    }

    static func start() async throws -> BistroServer {
        try await start(port: try FreePort.find(), folder: try TemporaryFolder())
    }

    /// Ends the process as a power cut would.
    func kill() async throws {
        program.kill()
        _ = try await program.exitStatus()
    }

    /// Starts another on the same port and database.
    func restart() async throws -> BistroServer { try await Self.start(port: port, folder: folder) }

    /// Ends the process as a power cut would, and starts another on the same port and database.
    func killAndRestart() async throws -> BistroServer {
        try await kill()
        return try await restart()
    }

    /// Asks the process to end, and waits until it has.
    func stop() async throws -> Int32 {
        program.interrupt()
        return try await program.exitStatus()
    }

    /// A request; returns the answer's JSON object.
    @discardableResult
    func request(_ method: String, _ path: String, _ body: [String: any Sendable]? = nil) async throws -> [String: Any]
    {
        var request = HTTPClientRequest(url: "http://127.0.0.1:\(port)\(path)")
        request.method = .init(rawValue: method)
        // A kept connection may be one to a server that was killed since.
        request.headers.add(name: "Connection", value: "close")
        if let body {
            request.headers.add(name: "Content-Type", value: "application/json")
            request.body = .bytes(ByteBuffer(bytes: try JSONSerialization.data(withJSONObject: body)))
        }
        let response = try await HTTPClient.shared.execute(request, timeout: TimeAmount(.patience))
        let bytes = try await response.body.collect(upTo: 1 << 20)
        guard let object = try JSONSerialization.jsonObject(with: Data(bytes.readableBytesView)) as? [String: Any]
        else {
            throw TestFailure("\(method) \(path) did not answer an object")
        }
        guard (200..<300).contains(response.status.code) else {
            throw TestFailure("\(method) \(path) answered \(response.status.code): \(object["detail"] ?? "")")
        }
        return object
    }

    /// Opens an order for a table; returns its identifier.
    func openOrder(table: String) async throws -> String {
        guard let id = try await request("POST", "/orders", ["table": table])["id"] as? String else {
            throw TestFailure("the order has no identifier")
        }
        return id
    }

    /// The number that people call an order by.
    func reference(of order: String) async throws -> String {
        guard let reference = try await request("GET", "/orders/\(order)")["reference"] as? String else {
            throw TestFailure("the order has no reference")
        }
        return reference
    }

    private static func start(port: Int, folder: TemporaryFolder) async throws -> BistroServer {
        let database = folder.file("bistro.sqlite")
        let program = try RunningProgram.start(
            try Programs.built("bistro"),
            ["serve", "--port", "\(port)", "--database", database]
        )
        try await program.line(containing: "http://127.0.0.1:\(port)/")
        return BistroServer(program: program, port: port, folder: folder)
    }
}

// MARK: - Its clients

extension BistroServer {
    /// Starts a command of the demo that reads and writes lines.
    func client(_ command: String...) throws -> RunningProgram {
        try RunningProgram.start(try Programs.built("bistro"), command + ["--url", page], readsLines: true)
    }

    /// Starts a command of the demo as people use it.
    func terminal(_ command: String...) throws -> TerminalProcess {
        try TerminalProcess.start(try Programs.built("bistro"), command + ["--url", page])
    }
}
