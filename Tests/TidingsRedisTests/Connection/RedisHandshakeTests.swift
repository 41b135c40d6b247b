import NIOCore
import Testing

@testable import TidingsRedis

@Suite("What is said on a new connection")
struct RedisHandshakeTests {
    private static let fine = RESPValue.text(ByteBuffer(string: "OK"))

    /// Goes through a handshake; refuses the commands that are named.
    private func talk(_ configuration: RedisConfiguration, refusing: [String: String] = [:]) throws -> [[String]] {
        var handshake = RedisHandshake(configuration)
        var said: [[String]] = []
        var step = handshake.begin()
        while case .send(let command) = step {
            said.append(command)
            let refusal = refusing[command[0]].map { RESPValue.error(RESPErrorReply($0)) }
            step = try handshake.receive(refusal ?? Self.fine)
        }
        return said
    }

    @Test("version and password in one, then the database, then the name")
    func everything() throws {
        var configuration = RedisConfiguration()
        (configuration.user, configuration.password, configuration.database) = ("app", "secret", 3)
        let name = ["CLIENT", "SETNAME", "tidings"]
        #expect(
            try talk(configuration) == [["HELLO", "3", "AUTH", "app", "secret"], ["SELECT", "3"], name]
        )
        configuration.protocolVersion = .resp2
        #expect(try talk(configuration) == [["AUTH", "app", "secret"], ["SELECT", "3"], name])
        configuration.user = nil
        #expect(try talk(configuration).first == ["AUTH", "secret"])
        #expect(try talk(RedisConfiguration()) == [["HELLO", "3"], name])
    }

    @Test("a server without RESP3 is spoken to in RESP2", arguments: ["ERR unknown command", "NOPROTO unsupported"])
    func fallback(_ refusal: String) throws {
        var configuration = RedisConfiguration()
        configuration.password = "secret"
        #expect(
            try talk(configuration, refusing: ["HELLO": refusal]).map(\.[0]) == ["HELLO", "AUTH", "CLIENT"]
        )
    }

    @Test("a name that may not be set is done without")
    func nameless() throws {
        #expect(try talk(RedisConfiguration(), refusing: ["CLIENT": "NOPERM no"]).count == 2)
    }

    @Test(
        "what a server refuses is said in words that help, without what it was about",
        arguments: [
            ("WRONGPASS invalid", RedisError.Code.authentication), ("NOAUTH needed", .authentication),
            ("NOPERM this user", .forbidden), ("LOADING dataset", .unavailable), ("ERR DB index", .refused),
        ]
    )
    func refused(_ refusal: String, _ code: RedisError.Code) {
        var configuration = RedisConfiguration()
        (configuration.password, configuration.database) = ("secret", 99)
        let command = code == .refused ? "SELECT" : "HELLO"
        let error = #expect(throws: RedisError.self) { try talk(configuration, refusing: [command: refusal]) }
        #expect(error?.code == code)
        #expect(error.map { !"\($0)".contains("secret") && !"\($0)".contains("DB index") } == true)
    }
}

@Suite("The URL of a Redis")
struct RedisURLTests {
    @Test("hosts, user, password and database")
    func complete() throws {
        let configuration = try RedisConfiguration(
            url: "redis://app:p%40ss%3aw%2F@db.example.com:6380,[::1]:7000,other/5"
        )
        #expect(
            configuration.endpoints == [.host("db.example.com", port: 6380), .host("::1", port: 7000), .host("other")]
        )
        #expect(configuration.endpoints.map(\.description) == ["db.example.com:6380", "[::1]:7000", "other:6379"])
        #expect(configuration.user == "app")
        #expect(configuration.password == "p@ss:w/")
        #expect(configuration.database == 5)
        #expect(configuration.tls == nil)
    }

    @Test("TLS, a password alone, and sockets")
    func others() throws {
        let secure = try RedisConfiguration(url: "rediss://:secret@localhost")
        #expect(secure.tls != nil)
        #expect(secure.user == nil)
        #expect(secure.password == "secret")
        let socket = try RedisConfiguration(url: "unix:///run/redis.sock?db=2")
        #expect(socket.endpoints == [.unixSocket(path: "/run/redis.sock")])
        #expect(socket.database == 2)
    }

    @Test(
        "what cannot be read is said, without the password",
        arguments: [
            "localhost:6379", "http://:secret@localhost", "redis://:secret@", "redis://:secret@host:port",
            "redis://:secret@host:0", "redis://:secret@host/x", "redis://secret@host", "redis://:secret%zz@host",
            "unix://secret", "unix:///secret?x=1", "redis://", "redis://:secret%ff@host", "redis://a,,b",
        ]
    )
    func faults(_ url: String) {
        let error = #expect(throws: RedisError.self) { try RedisConfiguration(url: url) }
        #expect(error?.code == .configuration)
        #expect(error?.description.contains("secret") == false)
    }

    @Test("what is printed of a configuration has no password in it")
    func secrets() throws {
        let configuration = try RedisConfiguration(url: "redis://app:kx81ktYzE9@redis-1:6379,redis-2")
        var dumped = ""
        dump(configuration, to: &dumped)
        for text in ["\(configuration)", String(reflecting: configuration), dumped] {
            #expect(!text.contains("kx81ktYzE9"))
        }
        #expect("\(configuration)".contains("redis-1:6379, redis-2:6379"))
    }
}
