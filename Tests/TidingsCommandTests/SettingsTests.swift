import Foundation
import TestSupport
import Testing
import TidingsBroadcast

@testable import tidings

@Suite("Settings of a server")
struct SettingsTests {
    @Test("every setting takes what is allowed, and refuses the rest with its name, the value and what is allowed")
    func values() throws {
        let cases = Self.cases
        #expect(Set(cases.map(\.name)) == Set(ServeSettings.all.map(\.name)))
        for (name, good, bad) in cases {
            let setting = try #require(ServeSettings.all.first { $0.name == name })
            for text in good { #expect(setting.value(of: text) != nil, "\(name) \(text)") }
            for text in bad {
                let errors = Self.errors([setting.option + "=" + text])
                let value = setting.isSecret ? "the value" : "\"\(text)\""
                let message = "\(name): \(value) (\(setting.option)) is not allowed; allowed: \(setting.allowed)."
                #expect(errors == [SettingsError(.badValue, message)])
            }
        }
    }

    private static let cases: [(name: String, good: [String], bad: [String])] = [
        ("host", ["::", "example.com"], [""]),
        ("port", ["0", "65535"], ["-1", "65536", "8080.0", "http", ""]),
        ("log.level", ["trace", "critical"], ["loud", "INFO"]),
        ("tls.certificate", ["/dev/null"], ["/nowhere/at/all"]),
        ("tls.key", ["/dev/null"], ["/nowhere/at/all"]),
        (
            "origins",
            ["any", "same-host", "https://a.example", "https://a.example http://b.example:8080"],
            ["", "a.example", "https://a.example/", "https://a.example any", "https://a.example/path"]
        ),
        ("authentication.secret", [String(repeating: "x", count: 32)], [String(repeating: "x", count: 31)]),
        ("authentication.public_key", ["/dev/null"], ["/nowhere/at/all"]),
        ("authentication.algorithm", ["RS256", "ES256", "EdDSA"], ["none", "HS256"]),
        (
            "authentication.key_set",
            ["/dev/null", "https://id.example.com/keys", "http://127.0.0.1:1/keys"],
            ["http://id.example.com/keys", "/nowhere/at/all", "ftp://id.example.com"]
        ),
        ("authentication.issuer", ["https://id.example.com"], [""]),
        ("authentication.audience", ["orders"], [""]),
        ("authentication.cookie", ["session"], [""]),
        ("channels.public", ["menu", "menu:* bell", ""], ["menu \u{7}"]),
        ("channels.publishable", ["*"], [String(repeating: "x", count: 256)]),
        ("channels.streams", ["log:*"], ["menu \u{7}"]),
        ("channels.snapshots", ["feed:*"], ["menu \u{7}"]),
        ("backend", ["memory", "redis"], ["nats"]),
        ("redis.url", ["redis://127.0.0.1", "unix:///run/redis.sock"], ["127.0.0.1:6379", "http://127.0.0.1"]),
        ("redis.prefix", ["t:"], [""]),
        ("redis.while_away", ["0s", "3s", "1m"], ["61s", "3", "-1s"]),
        ("history.events", ["0", "1000000"], ["-1", "many"]),
        ("history.age", ["1s", "24h"], ["0s", "25h", "1d"]),
        ("history.bytes", ["0", "64GiB"], ["65GiB", "1GB", "9223372036854775807KiB"]),
        ("limits.connections", ["1"], ["0"]),
        ("limits.connections_per_subject", ["1"], ["0"]),
        ("limits.channels_per_connection", ["100000"], ["0", "100001"]),
        ("limits.payload_bytes", ["1", "1MiB"], ["0", "2MiB"]),
        ("limits.message_bytes", ["1KiB"], ["1023"]),
        ("limits.pending_bytes", ["64KiB"], ["65535"]),
        ("limits.messages_per_second", ["1"], ["0"]),
        ("limits.message_burst", ["1"], ["0"]),
        ("limits.publishes_per_second", ["1", "10000000"], ["0", "none"]),
        ("limits.publish_burst", ["1", "10000000"], ["0", "10000001"]),
        ("heartbeat.interval", ["1s", "1h"], ["500ms", "1500ms", "2h"]),
        ("heartbeat.timeout", ["2s", "2h"], ["1s", "2500ms"]),
        ("drain.window", ["0s", "500ms", "10m"], ["11m"]),
        ("compression", ["true", "false"], ["yes", "1"]),
        ("metrics", ["true", "false"], ["on"]),
        ("operators.secret", [String(repeating: "x", count: 32)], ["short"]),
        ("console.secret", [String(repeating: "x", count: 32)], [String(repeating: "x", count: 31), ""]),
    ]

    @Test("an option goes before a variable, that before the file, and that before the default")
    func precedence() throws {
        let file = try TemporaryFile("port: 3\nhost: file.example\nlog:\n  level: debug\nchannels:\n  public: [a, b]\n")
        let values = try ServeSettings.read(
            arguments: ["--port", "1", "--authentication-secret=\(Self.secret)"],
            environment: [
                "TIDINGS_PORT": "2", "TIDINGS_HOST": "environment.example", "PORT": "9", "TIDINGS_METRICS": "",
            ],
            file: file.path
        )
        #expect(values[ServeSettings.port] == 1)
        #expect(values[ServeSettings.host] == "environment.example")
        #expect(values[ServeSettings.logLevel] == .debug)
        #expect(values[ServeSettings.publicChannels].map(\.rawValue) == ["a", "b"])
        #expect(values[ServeSettings.metrics] == false)
        #expect(!values.isSet(ServeSettings.metrics))
    }

    @Test("a list is the words of an option that may come again, of a variable, or a list of the file")
    func lists() throws {
        let file = try TemporaryFile("channels:\n  snapshots:\n    - c\n    - d:*\n  streams: e\n")
        let values = try ServeSettings.read(
            arguments: ["--origins", "https://a.example", "--origins=https://b.example"],
            environment: ["TIDINGS_CHANNELS_PUBLISHABLE": "a b:*"],
            file: file.path
        )
        #expect(values[ServeSettings.origins] == .list(["https://a.example", "https://b.example"]))
        #expect(values[ServeSettings.publishableChannels].map(\.rawValue) == ["a", "b:*"])
        #expect(values[ServeSettings.snapshots].map(\.rawValue) == ["c", "d:*"])
        #expect(values[ServeSettings.streams].map(\.rawValue) == ["e"])
    }

    @Test("what nobody knows is an error that names the nearest setting, wherever it stands, all at once")
    func unknown() throws {
        let file = try TemporaryFile("prot: 1\nredis:\n  ulr: redis://a\nlog: loud\nport: [1]\n")
        let errors = Self.errors(
            ["--hots", "x", "--port"],
            environment: ["TIDINGS_BACKENT": "redis", "TIDINGS_TOKEN": "t", "TIDINGS_CONFIG": "f"],
            file: file.path
        )
        #expect(
            errors.map(\.message) == [
                "--hots (command line) is no setting; did you mean --host?",
                "--port needs a value; allowed: a whole number from 0 to 65535.",
                "TIDINGS_BACKENT (environment) is no setting; did you mean TIDINGS_BACKEND?",
                "prot (\(file.path)) is no setting; did you mean port?",
                "redis.ulr (\(file.path)) is no setting; did you mean redis.url?",
                "log (\(file.path)) is no setting; did you mean host?",
                "port: this kind of value (\(file.path)) is not allowed; allowed: a whole number from 0 to 65535.",
            ]
        )
    }

    @Test("a file that is none, and one that is not there, are said to be")
    func files() throws {
        let (broken, list) = (try TemporaryFile("port: 1\n host: [\n"), try TemporaryFile("- port\n"))
        #expect(
            Self.errors([], file: "/nowhere/tidings.yaml").map(\.message) == ["/nowhere/tidings.yaml cannot be read."]
        )
        #expect(Self.errors([], file: list.path).map(\.message) == ["\(list.path) has to be a mapping of settings."])
        let message = try #require(Self.errors([], file: broken.path).first?.message)
        #expect(message.hasPrefix("\(broken.path) is no YAML: look at line 2"))
        let empty = try TemporaryFile("# nothing\n")
        #expect(Self.errors([], file: empty.path).isEmpty)
    }

    @Test(
        "settings that do not go together",
        arguments: [
            (["--tls-key=/dev/null"], "tls.certificate: not set; tls.certificate and tls.key are set both or none."),
            (["--tls-certificate=/dev/null"], "tls.key: not set; tls.certificate and tls.key are set both or none."),
            (
                ["--backend=redis"],
                "redis.url: not set; the backend redis needs it. Allowed: redis://host:6379, "
                    + "rediss://user:password@host:6379/0 or unix:///path/of/socket."
            ),
            (
                ["--redis-url=redis://a"],
                "backend: \"memory\" does not use redis.url; set backend to redis, or take redis.url away."
            ),
            (
                ["--heartbeat-interval=35s"],
                "heartbeat.timeout: \"35s\" has to be longer than heartbeat.interval, 35s."
            ),
            (
                ["--authentication-secret=\(secret)", "--authentication-key-set=/dev/null"],
                "authentication.secret, authentication.key_set: only one of them says what tokens are signed with."
            ),
            (
                ["--channels-public=menu"],
                "channels.public: set on a server that asks for no tokens and lets everybody hear everything; set one of "
                    + "authentication.secret, authentication.public_key, authentication.key_set too."
            ),
            (
                ["--authentication-algorithm=RS256"],
                "authentication.algorithm: says what authentication.public_key is for, which is not set."
            ),
            (
                ["--metrics=true", "--authentication-secret=\(secret)"],
                "metrics: \"true\" on a server that asks who its clients are; set operators.secret too, for who reads them."
            ),
            (
                ["--console-secret=\(secret)", "--operators-secret=\(secret)"],
                "console.secret: is the same as operators.secret; the console needs a secret of its own."
            ),
            (
                ["--console-secret=\(secret)", "--authentication-secret=\(secret)"],
                "console.secret: is the same as authentication.secret; the console needs a secret of its own."
            ),
        ]
    )
    func contradictions(arguments: [String], message: String) {
        #expect(Self.errors(arguments) == [SettingsError(.contradiction, message)])
    }

    @Test("what is printed is a file with the same settings, and has no secret in it")
    func printed() throws {
        let file = try TemporaryFile("history:\n  bytes: 32MiB\n")
        let values = try ServeSettings.read(
            arguments: [
                "--port=0", "--backend=redis", "--redis-url=redis://:hidden@127.0.0.1", "--drain-window=1500ms",
            ],
            environment: [
                "TIDINGS_AUTHENTICATION_SECRET": Self.secret, "TIDINGS_CHANNELS_PUBLIC": "menu menu:*",
                "TIDINGS_CONSOLE_SECRET": Self.otherSecret,
            ],
            file: file.path
        )
        let text = values.text(of: ServeSettings.all)
        #expect(text == Self.golden.replacing("FILE", with: file.path))
        let again = try TemporaryFile(text)
        let same = try ServeSettings.read(
            arguments: [
                "--redis-url=redis://a", "--authentication-secret=\(Self.secret)",
                "--console-secret=\(Self.otherSecret)",
            ],
            environment: [:],
            file: again.path
        )
        #expect(Self.withoutSources(same.text(of: ServeSettings.all)) == Self.withoutSources(text))
    }

    private static func withoutSources(_ text: String) -> [String] {
        text.split(separator: "\n").map { String($0.replacing(#/\ +# .*| \(.*\)/#, with: "")) }
    }

    private static let golden = """
        host: 127.0.0.1  # default
        port: 0  # --port
        log:
          level: info  # default
        tls:
          # certificate: not set
          # key: not set
        origins: same-host  # default
        authentication:
          # secret: set (TIDINGS_AUTHENTICATION_SECRET)
          # public_key: not set
          algorithm: ES256  # default
          # key_set: not set
          # issuer: not set
          # audience: not set
          # cookie: not set
        channels:
          public: "menu menu:*"  # TIDINGS_CHANNELS_PUBLIC
          publishable: []  # default
          streams: []  # default
          snapshots: []  # default
        backend: redis  # --backend
        redis:
          # url: set (--redis-url)
          prefix: "tidings:"  # default
          while_away: 0s  # default
        history:
          # events: not set
          age: 5m  # default
          bytes: 32MiB  # FILE
        limits:
          # connections: not set
          # connections_per_subject: not set
          channels_per_connection: 256  # default
          payload_bytes: 64KiB  # default
          message_bytes: 64KiB  # default
          pending_bytes: 1MiB  # default
          messages_per_second: 50  # default
          message_burst: 100  # default
          publishes_per_second: 1000  # default
          publish_burst: 2000  # default
        heartbeat:
          interval: 25s  # default
          timeout: 35s  # default
        drain:
          window: 1500ms  # --drain-window
        compression: false  # default
        metrics: false  # default
        operators:
          # secret: not set
        console:
          # secret: set (TIDINGS_CONSOLE_SECRET)

        """

    @Test("the guide has the table of settings; tidings serve --print-table prints it")
    func guide() throws {
        let text = try String(contentsOfFile: Self.repository + "/docs/guides/serve.md", encoding: .utf8)
        #expect(text.contains("\n\(SettingsHelp.markdown)\n"))
    }

    @Test("the file that is deployed sets what it says")
    func deployed() throws {
        let path = Self.repository + "/deploy/tidings.yaml"
        let values = try ServeSettings.read(arguments: [], environment: [:], file: path)
        #expect(values[ServeSettings.origins] == .list(["https://app.example.com"]))
        #expect(values[ServeSettings.metrics])
        #expect(values[ServeSettings.publishableChannels].isEmpty)
    }

    private static let repository = URL(fileURLWithPath: #filePath).resolvingSymlinksInPath()
        .deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent().path

    private static let secret = String(repeating: "s", count: 32)
    private static let otherSecret = String(repeating: "o", count: 32)

    private static func errors(
        _ arguments: [String],
        environment: [String: String] = [:],
        file: String? = nil
    ) -> [SettingsError] {
        do {
            _ = try ServeSettings.read(arguments: arguments, environment: environment, file: file)
            return []
        } catch {
            return (error as? SettingsErrors)?.errors ?? []
        }
    }
}

/// A file that is gone when nobody has it.
struct TemporaryFile {
    private let folder: TemporaryFolder
    let path: String

    init(_ text: String) throws {
        folder = try TemporaryFolder()
        path = folder.file("text")
        try Data(text.utf8).write(to: URL(fileURLWithPath: path))
    }
}
