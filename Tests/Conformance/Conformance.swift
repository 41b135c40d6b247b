import ArgumentParser

/// The two ends of the WebSocket protocol, for a suite that tests them from outside.
@main
struct Conformance: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "conformance",
        abstract: "Echo, as a server and as a client, for suites that test the WebSocket protocol.",
        subcommands: [EchoServer.self, EchoClient.self]
    )

    /// As large as the largest message of a suite.
    static let messageBytes = 32 * 1024 * 1024
}
