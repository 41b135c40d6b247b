import ArgumentParser
import Foundation
import Logging
import ServiceLifecycle
import TidingsClient
import TidingsWire
import UnixSignals

/// `tidings listen`: prints the events of some channels until it is interrupted.
struct Listen: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Print the events of channels as JSON lines.",
        discussion: """
            Connects to a broadcast server and prints each event on a line of its own, until it is interrupted. A \
            connection that is lost is made again, without end; what was missed is printed then, or, where the \
            server does not know it any more, an event "stale" for each channel. Messages about the connection go to \
            standard error.

            Examples:
              tidings listen ws://127.0.0.1:8080/ws/broadcast order
              tidings listen wss://example.com/ws/broadcast order contact | jq .payload.entity_id
              tidings listen --extended --since k3f9:46 ws://127.0.0.1:8080/ws/broadcast order
              TIDINGS_TOKEN=$(cat token) tidings listen wss://example.com/ws/broadcast user:42

            Exit status: 0 when interrupted, 1 when the server refuses, 64 when the arguments are wrong.
            """
    )

    @Argument(help: "The server's WebSocket URL: ws://host:port/ws/broadcast, or wss:// for TLS.")
    var url: String

    @Argument(help: "Channels to listen to.", transform: { try ChannelName($0) })
    var channels: [ChannelName]

    @Flag(
        help: "Which dialect is spoken; without one, the extended one if the server knows it, printed as the plain one."
    )
    var dialect: PrintedDialect?

    @Option(
        help: "A position as --extended prints it: what happened after it is printed first.",
        transform: { text in
            guard let position = EventPosition(text) else {
                throw ValidationError("A position is an epoch and an offset, as k3f9:46.")
            }
            return position
        }
    )
    var since: EventPosition?

    @OptionGroup var credentials: ClientCredentials

    @Flag(help: "Show what is sent and received, without payloads and tokens.")
    var debug = false

    mutating func validate() throws {
        guard dialect != .plain || since == nil else {
            throw ValidationError("The plain dialect has no positions: leave --plain or --since away.")
        }
        // Named twice is the same as once.
        var known: Set<ChannelName> = []
        channels.removeAll { !known.insert($0).inserted }
        guard channels.count <= WireLimits.channelsPerConnection else {
            throw ValidationError("A connection holds at most \(WireLimits.channelsPerConnection) channels.")
        }
        do {
            _ = try makeClient()
        } catch let error as BroadcastClientError {
            throw ValidationError(error.message)
        }
    }

    func run() async throws {
        let client = try makeClient()
        let services = ServiceGroup(
            configuration: ServiceGroupConfiguration(
                services: [
                    .init(
                        service: EventPrinter(
                            events: client.events(on: channels, since: since),
                            dialect: dialect == .extended ? .extended : .plain
                        ),
                        successTerminationBehavior: .gracefullyShutdownGroup
                    ),
                    .init(service: client, failureTerminationBehavior: .cancelGroup),
                ],
                gracefulShutdownSignals: [.sigint, .sigterm],
                logger: Logger(label: "tidings.services") { _ in SwiftLogNoOpLogHandler() }
            )
        )
        do {
            try await services.run()
        } catch is BroadcastClientError {
            // The client has logged why.
            throw ExitCode.failure
        }
    }

    private func makeClient() throws -> BroadcastClient {
        var configuration = BroadcastClient.Configuration()
        configuration.logger = Logger(label: "tidings listen") { [debug] _ in
            var handler = StandardErrorLogHandler(program: "tidings listen")
            if debug { handler.logLevel = .trace }
            return handler
        }
        if let token = credentials.bearer { configuration.token = { token } }
        configuration.tls = credentials.tls
        if dialect == .plain { configuration.dialects = [.plain] }
        return try BroadcastClient(url: url, configuration: configuration)
    }
}

/// How `tidings listen` speaks and prints.
enum PrintedDialect: String, EnumerableFlag {
    case plain
    case extended
}

/// Prints events as they come, until nobody reads them any more.
private struct EventPrinter: Service {
    let events: BroadcastEvents
    let dialect: Dialect

    func run() async {
        for await event in events.cancelOnGracefulShutdown() {
            let line = dialect.encode(event) + [UInt8(ascii: "\n")]
            do {
                try FileHandle.standardOutput.write(contentsOf: Data(line))
            } catch {
                // The reader of the pipe has what it wanted, as head does.
                return
            }
        }
    }
}
