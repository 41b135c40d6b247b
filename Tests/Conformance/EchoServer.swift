import ArgumentParser
import Foundation
import Hummingbird
import Logging
import TidingsBroadcast
import TidingsHummingbird

/// Serves `/echo`: a session like every other, except that it sends back what it hears.
struct EchoServer: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "server", abstract: "Echo every message on /echo.")

    @Option(help: "The port to listen on; 0 takes a free one, which is printed.")
    var port = 0

    func run() async throws {
        var configuration = BroadcastHub.Configuration()
        configuration.clientMessageBytes = Conformance.messageBytes
        configuration.clientMessagesPerSecond = 1_000_000
        configuration.clientMessageBurst = 1_000_000
        let hub = BroadcastHub(configuration: configuration)
        let router = Router()
        router.get("echo") { _, _ in
            guard let attempt = UpgradeAttempt.current else { throw UpgradeAttempt.notAnUpgrade }
            let extensions = try attempt.answerToCompression()
            return try attempt.accept(extensions: extensions) {
                hub.makeEchoHandler(on: $0, isCompressed: extensions != nil, writesDirectly: !$1)
            }
        }
        let application = Application(
            router: router,
            broadcast: WebSocketBroadcastBackend(hub: hub),
            configuration: ApplicationConfiguration(address: .hostname("127.0.0.1", port: port)),
            onServerRunning: { channel in
                FileHandle.standardOutput.write(Data("READY \(channel.localAddress?.port ?? 0)\n".utf8))
            },
            logger: Logger(label: "conformance") { _ in SwiftLogNoOpLogHandler() }
        )
        try await application.runService()
    }
}
