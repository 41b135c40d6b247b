import ArgumentParser
import Foundation
import Hummingbird
import Logging
import TidingsBroadcast
import TidingsHummingbird

/// `tidings bench-server`: a server for load tools.
struct BenchServer: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Serve a load tool: everybody may publish, and nothing is superseded.",
        discussion: """
            Clients connect to /ws/broadcast, subscribe, and publish with {"publish": "order", "payload": {…}}. Every \
            channel is a stream: each event reaches each subscriber. Do not run it where anybody else can reach it.

            Example:
              tidings bench-server --port 9000
            """
    )

    @Option(help: "The port to listen on, on this machine only; 0 takes a free one.")
    var port = 9000

    mutating func validate() throws {
        guard (0...65_535).contains(port) else { throw ValidationError("A port is 0–65535, not \(port).") }
    }

    func run() async throws {
        var hub = BroadcastHub.Configuration()
        hub.policy = ChannelPolicy(publishableChannels: ["*"])
        hub.delivery = { _ in .stream }
        hub.clientMessagesPerSecond = 10_000_000
        hub.clientMessageBurst = 10_000_000
        hub.pendingBytesPerSession = 64 * 1024 * 1024
        hub.drainWindow = .zero
        // A load tool asks for no history: what it publishes would only be memory.
        let log = InMemoryEventLog(limits: .init(eventsPerChannel: 1000, bytes: 8 * 1024 * 1024))
        let broadcast = WebSocketBroadcastBackend(hub: BroadcastHub(configuration: hub, log: log))
        let application = Application(
            router: Router(),
            broadcast: broadcast,
            configuration: ApplicationConfiguration(address: .hostname("127.0.0.1", port: port), backlog: 4096),
            onServerRunning: { channel in
                let line = "ws://127.0.0.1:\(channel.localAddress?.port ?? 0)/ws/broadcast\n"
                FileHandle.standardOutput.write(Data(line.utf8))
            },
            logger: Logger(label: "bench-server") { _ in SwiftLogNoOpLogHandler() }
        )
        try await application.runService(draining: broadcast)
    }
}
