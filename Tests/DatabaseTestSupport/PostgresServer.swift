import Foundation
import Synchronization
import TestSupport

/// A PostgreSQL server of the tests' own, in a folder of its own, which goes with the process however that ends.
public final class PostgresServer: Sendable {
    /// The superuser of the database.
    public static let user = "postgres"
    /// The superuser's password, with characters that have to be encoded in a URI.
    public static let password = "p@ss:word/%1"

    /// Where it listens on 127.0.0.1.
    public let port: Int
    /// Where it has its files, and its Unix socket.
    public let folder: String
    private let installation: PostgresInstallation
    private let guardian: Guardian
    private let running = Mutex<RunningServer?>(nil)

    /// The one server that the tests of this process share. Whoever harms it starts one of their own.
    public static var shared: PostgresServer {
        get async throws { try await sharedStart.value }
    }

    // A task, because the first one to ask starts it and all others wait for the same.
    private static let sharedStart = Task { try await PostgresServer.start() }

    private init(_ installation: PostgresInstallation, folder: String, port: Int) throws {
        self.installation = installation
        self.folder = folder
        self.port = port
        guardian = try Guardian(of: folder, identifierFile: "data/postmaster.pid", signal: "QUIT")
    }

    /// Makes a server and starts it.
    public static func start() async throws -> PostgresServer {
        guard let installation = PostgresInstallation.found else {
            throw TestFailure("PostgreSQL is not installed: run scripts/setup test")
        }
        let name = "tidings-pg-\(UUID().uuidString.prefix(8).lowercased())"
        // Short, because the path of a socket has to be.
        let folder = "/tmp/\(name)"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: false)
        let server = try PostgresServer(installation, folder: folder, port: try FreePort.find())
        try await server.make()
        try await server.restart()
        return server
    }

    /// Starts it again on its data.
    public func restart() async throws {
        let certificates = "\(folder)/certificates"
        let settings = [
            "listen_addresses=127.0.0.1", "port=\(port)", "unix_socket_directories=\(folder)", "max_connections=200",
            // The system outlives the tests, so what is written stays without waiting for the disk.
            "fsync=off", "full_page_writes=off", "shared_buffers=32MB", "lc_messages=C", "logging_collector=off",
            "ssl=on", "ssl_cert_file=\(certificates)/server.pem", "ssl_key_file=\(certificates)/server.key",
        ]
        let command = installation.asUser + [installation.postgres, "-D", "\(folder)/data"]
        let server = try await RunningServer.start(command + settings.flatMap { ["-c", $0] })
        running.withLock { $0 = server }
    }

    /// Ends it as a power cut would: at once, in the midst of whatever it does.
    public func kill() async {
        await running.withLock { $0 }?.kill()
    }

    /// Ends it in an orderly way, without waiting for its clients.
    public func stop() async {
        await running.withLock { $0 }?.stop()
    }

    /// Runs statements as the superuser.
    ///
    /// - Returns: The values, a row each line.
    @discardableResult
    public func run(_ sql: String, database: String = "postgres") async throws -> String {
        let connection = ["-h", folder, "-p", "\(port)", "-U", Self.user, "-d", database]
        let options = ["-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1"]
        return try await Programs.run([installation.psql] + connection + options, input: sql)
    }

    /// Making databases is most of the work of many tests: all of them at once would let others wait too long.
    private static let turnstile = Turnstile(capacity: 4)

    /// Makes a database for one test, lends it, and drops it. A few tests have one at the same time.
    public func withDatabase<Result: Sendable>(
        _ body: (TestDatabase) async throws -> Result
    ) async throws -> Result {
        try await Self.turnstile.pass { try await withNewDatabase(body) }
    }

    private func withNewDatabase<Result: Sendable>(
        _ body: (TestDatabase) async throws -> Result
    ) async throws -> Result {
        let database = TestDatabase(server: self, name: "t_\(UUID().uuidString.prefix(12).lowercased())")
        try await run("CREATE DATABASE \"\(database.name)\"")
        do {
            let result = try await body(database)
            try await run("DROP DATABASE \"\(database.name)\" WITH (FORCE)")
            return result
        } catch {
            _ = try? await run("DROP DATABASE \"\(database.name)\" WITH (FORCE)")
            throw error
        }
    }

    // MARK: Parts

    private func make() async throws {
        try await TestCertificates.make(in: "\(folder)/certificates")
        let passwordFile = "\(folder)/password"
        try Data(Self.password.utf8).write(to: URL(fileURLWithPath: passwordFile))
        if let owner = installation.owner { try await Programs.run(["/bin/chown", "-R", owner, folder]) }
        let options = [
            "-D", "\(folder)/data", "-U", Self.user, "--auth-local=trust", "--auth-host=scram-sha-256",
            "--pwfile=\(passwordFile)", "--encoding=UTF8", "--locale=C", "--no-sync",
        ]
        try await Programs.run(installation.asUser + [installation.initdb] + options)
    }
}

extension PostgresServer {
    /// The certificate of the authority that the server's certificate is of.
    public var authority: String { "\(folder)/certificates/ca.pem" }
    /// The certificate of another authority.
    public var otherAuthority: String { "\(folder)/certificates/other-ca.pem" }
}

/// A database of one test.
public struct TestDatabase: Sendable {
    /// The server that has it.
    public let server: PostgresServer
    /// Its name.
    public let name: String

    /// A connection string over the Unix socket.
    public var connectionString: String {
        "host=\(server.folder) port=\(server.port) dbname=\(name) user=\(PostgresServer.user)"
    }

    /// A connection string over TCP with a password.
    ///
    /// - Parameters:
    ///   - port: Another port than the server's, as of a proxy.
    ///   - password: Another password than the right one.
    ///   - options: What is added, such as `sslmode=require`.
    public func uri(port: Int? = nil, password: String = PostgresServer.password, _ options: String = "") -> String {
        let unreserved = CharacterSet.alphanumerics.union(CharacterSet(charactersIn: "-._~"))
        let encoded = password.addingPercentEncoding(withAllowedCharacters: unreserved) ?? ""
        return "postgresql://\(PostgresServer.user):\(encoded)@127.0.0.1:\(port ?? server.port)/\(name)?\(options)"
    }

    /// Runs statements as the superuser.
    @discardableResult
    public func run(_ sql: String) async throws -> String {
        try await server.run(sql, database: name)
    }

    /// Waits until a condition of SQL holds.
    public func wait(until condition: String) async throws {
        try await run(
            """
            DO $wait$ BEGIN
                WHILE NOT (\(condition)) LOOP PERFORM pg_sleep(0.01), pg_stat_clear_snapshot(); END LOOP;
            END $wait$
            """
        )
    }
}
