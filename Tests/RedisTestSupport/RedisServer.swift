import Foundation
import Synchronization
import TestSupport

/// A Redis of the tests' own, in a folder of its own, which goes with the process however that ends.
public final class RedisServer: Sendable {
    /// Where it listens on 127.0.0.1; 0: it does not.
    public let port: Int
    /// Where it has its files.
    public let folder: String
    /// Its socket.
    public var socket: String { "\(folder)/s" }
    /// The port on which it speaks TLS; 0: none.
    public let tlsPort: Int
    private let options: [String]
    private let running = Mutex<ChildProcess?>(nil)
    private let guardian: Guardian

    private init(folder: String, port: Int, tlsPort: Int, options: [String]) throws {
        (self.folder, self.port, self.tlsPort, self.options) = (folder, port, tlsPort, options)
        guardian = try Guardian(of: folder, identifierFile: "pid", signal: "KILL")
    }

    deinit {
        running.withLock { $0 }?.send(SIGKILL)
    }

    /// Makes a server and starts it.
    ///
    /// - Parameters:
    ///   - options: Further options, each as a word: `["--requirepass", "secret"]`.
    ///   - isPersistent: Whether it keeps what it is told over a restart.
    ///   - speaksTLS: Whether it listens with TLS too.
    public static func start(
        _ options: [String] = [],
        isPersistent: Bool = false,
        speaksTLS: Bool = false
    ) async throws -> RedisServer {
        guard RedisInstallation.server != nil else {
            throw TestFailure("Redis is not installed: run scripts/setup test")
        }
        // Short, because the path of a socket has to be.
        let folder = "/tmp/tidings-redis-\(UUID().uuidString.prefix(8).lowercased())"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: false)
        let (port, tlsPort) = (try FreePort.find(), speaksTLS ? try FreePort.find() : 0)
        var all = [
            "--port", "\(port)", "--bind", "127.0.0.1", "--unixsocket", "\(folder)/s", "--dir", folder, "--save", "",
            "--appendonly", isPersistent ? "yes" : "no", "--appendfsync", "no", "--loglevel", "warning",
            "--repl-diskless-sync-delay", "0",
        ]
        if speaksTLS {
            try await TestCertificates.make(in: folder)
            all += ["--tls-port", "\(tlsPort)", "--tls-auth-clients", "no"]
            all += ["--tls-cert-file", "\(folder)/server.pem", "--tls-key-file", "\(folder)/server.key"]
            all += ["--tls-ca-cert-file", "\(folder)/ca.pem"]
        }
        let server = try RedisServer(folder: folder, port: port, tlsPort: tlsPort, options: all + options)
        try await server.restart()
        return server
    }

    /// Starts it again, on its data if it is persistent.
    public func restart() async throws {
        guard let program = RedisInstallation.server else { return }
        // The port is free again only a moment after the end of what had it.
        for _ in 0..<100 {
            let process = try ChildProcess([program] + options + ["--pidfile", "\(folder)/pid"], in: "/")
            running.withLock { $0 = process }
            for _ in 0..<100 {
                if (try? await run("ping")) != nil { return }
                try await Task.sleep(for: .milliseconds(20))
            }
            process.send(SIGKILL)
            _ = await process.exitStatus
        }
        throw TestFailure("Redis does not start: \(options.joined(separator: " "))")
    }

    /// Ends it as a power cut would.
    public func kill() async {
        guard let process = running.withLock({ $0 }) else { return }
        process.send(SIGKILL)
        _ = await process.exitStatus
    }

    /// Lets it stand still, with its sockets open.
    public func freeze() { running.withLock { $0 }?.send(SIGSTOP) }

    /// Lets it go on.
    public func thaw() { running.withLock { $0 }?.send(SIGCONT) }

    /// Runs a command with `redis-cli`, as the default user.
    ///
    /// - Returns: What it printed.
    @discardableResult
    public func run(_ command: String..., password: String? = nil) async throws -> String {
        guard let client = RedisInstallation.client else {
            throw TestFailure("redis-cli is not installed: run scripts/setup test")
        }
        let credentials = password.map { ["-a", $0, "--no-auth-warning"] } ?? []
        return try await Programs.run([client, "-s", socket] + credentials + command)
    }

    /// The certificate of the authority that the server's certificate is of.
    public var authority: String { "\(folder)/ca.pem" }
}
