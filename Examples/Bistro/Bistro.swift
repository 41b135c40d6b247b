import ArgumentParser
import BistroTerminal

/// A restaurant's orders on many screens: the demo of Tidings.
@main
struct Bistro: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bistro",
        abstract: "A restaurant's orders on many screens.",
        subcommands: [Serve.self, Kitchen.self, TakeOrder.self, EditOrder.self],
        defaultSubcommand: Serve.self
    )
}
