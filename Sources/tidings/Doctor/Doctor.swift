import ArgumentParser
import NIOCore
import TidingsClient
import TidingsWire

/// `tidings doctor`: says what is wrong with a server.
struct Doctor: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Look at a server from outside, and say what is wrong.",
        discussion: """
            Connects as a client would and looks at the connection, the certificate, the upgrade, the page's origin, the \
            server's readiness, the token, a ping, a subscription, and at an event's way there and back. Each is one \
            line; what is wrong has a name and says what to do.

            Examples:
              tidings doctor ws://127.0.0.1:8080/ws/broadcast
              tidings doctor wss://example.com/ws/broadcast --origin https://app.example.com --channel order --no-publish

            Exit status: 0 when nothing is wrong, 1 when something is, 64 when the arguments are wrong.
            """
    )

    @Argument(help: "The server's WebSocket URL: ws://host:port/ws/broadcast, or wss:// for TLS.")
    var url: String

    @Option(help: "The channel to subscribe to and to publish on.", transform: { try ChannelName($0) })
    var channel: ChannelName = "tidings:doctor"

    @Option(help: "The origin of a page that connects, as https://app.example.com.")
    var origin: String?

    @Flag(inversion: .prefixedNo, help: "Whether an event is published.")
    var publish = true

    @OptionGroup var credentials: ClientCredentials

    mutating func validate() throws {
        do {
            _ = try WebSocketEndpoint(url)
        } catch {
            throw ValidationError(error.message)
        }
    }

    func run() async throws {
        var connector = WebSocketConnector()
        connector.tls = credentials.tls
        connector.connectTimeout = .seconds(5)
        connector.subprotocols = [Dialect.extended, .plain].compactMap(\.subprotocol)
        let question = DoctorQuestion(
            url: url,
            channel: channel,
            origin: origin,
            token: credentials.bearer,
            connector: connector,
            publishes: publish
        )
        var examination = try Examination(question) { Console.print($0.text) }
        guard await examination.run() else { throw ExitCode.failure }
    }
}
