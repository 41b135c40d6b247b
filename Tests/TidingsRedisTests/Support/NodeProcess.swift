import Foundation
import RedisTestSupport
import SocketTestSupport
import Synchronization
import TestSupport
import TidingsRedis
import TidingsWire

/// A node in a process of its own.
final class NodeProcess: Sendable {
    let port: Int
    private let process: ChildProcess
    private let output: Inbox<String>
    private let input: Mutex<Pipe>

    private init(port: Int, _ process: ChildProcess, _ output: Inbox<String>, _ input: sending Pipe) {
        (self.port, self.process, self.output) = (port, process, output)
        self.input = Mutex(input)
    }

    deinit {
        process.send(SIGKILL)
    }

    static func start(_ server: RedisServer, prefix: String) async throws -> NodeProcess {
        let (input, reading, output) = (Pipe(), Pipe(), Inbox<String>())
        // The end of the input is the end of the program.
        _ = fcntl(input.fileHandleForWriting.fileDescriptor, F_SETFD, FD_CLOEXEC)
        let url = "redis://127.0.0.1:\(server.port)"
        let process = try ChildProcess(
            [try Programs.built("redis-node"), "--redis", url, "--prefix", prefix],
            input: input.fileHandleForReading.fileDescriptor,
            output: reading.fileHandleForWriting.fileDescriptor
        )
        try input.fileHandleForReading.close()
        try reading.fileHandleForWriting.close()
        output.putLines(of: reading)
        guard let line = try await output.next(), let match = line.firstMatch(of: #/:(\d+)\//#), let port = Int(match.1)
        else { throw TestFailure("the node does not say where it listens") }
        return NodeProcess(port: port, process, output, input)
    }

    /// Has the node do something, and gives what it says.
    @discardableResult
    func say(_ command: String) async throws -> String {
        input.withLock { $0.fileHandleForWriting.write(Data((command + "\n").utf8)) }
        guard let answer = try await output.next() else { throw TestFailure("the node has ended") }
        return answer
    }

    func publish(_ event: String, on channel: String, _ payload: String = "{}") async throws {
        let answer = try await say("publish \(channel) \(event) \(payload)")
        guard answer == "published" else { throw TestFailure(answer) }
    }

    /// Ends it at once: nothing of it runs any more.
    func kill() async {
        process.send(SIGKILL)
        _ = await process.exitStatus
    }

    func connect() async throws -> TestClient {
        let client = try await TestClient.connect(port: port, opens: true)
        guard case .welcome = try await client.next() else { throw TestFailure("no welcome") }
        return client
    }
}
