import ArgumentParser

/// The command line of Tidings.
@main
struct Tidings: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "tidings",
        abstract: "Broadcast servers and their clients from the command line.",
        version: "0.1.0",
        subcommands: [Serve.self, Publish.self, Listen.self, Doctor.self, BenchServer.self]
    )
}
