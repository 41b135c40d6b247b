public import ArgumentParser
import BistroAPI
import TidingsSync

/// `bistro order`: takes an order.
public struct TakeOrder: AsyncParsableCommand {
    /// How the command is called and described.
    public static let configuration = CommandConfiguration(
        commandName: "order",
        abstract: "Take an order.",
        discussion: """
            With dishes, orders them and prints the order. Without, asks for them: each is sent when it is typed, and \
            shown at once; what the server has not confirmed is marked with ~. The beginning of a dish is enough.

            Examples:
              bistro order 7 burger=2 lemonade
              bistro order 7 --note "No onions"
              bistro order "Bar 2" --url http://192.168.1.20:8080

            Exit status: 0 if everything was confirmed, 1 if not, 130 when interrupted.
            """
    )

    @OptionGroup var server: ServerOptions

    @Option(help: "A note for the kitchen.")
    var note: String?

    @Argument(help: "For which table.")
    var table: String

    @Argument(help: "Dishes: NAME or NAME=QUANTITY.")
    var items: [String] = []

    /// Makes the command without arguments.
    public init() {}

    /// Takes the order.
    public func run() async throws {
        let terminal = SystemTerminal()
        let sync = try server.client()
        let menu = Menu(dishes: try await server.first(sync.menuItems.whole, sync).items)
        let choices = try items.map { try menu.choose($0) }
        // The order is shown in it before there is an answer.
        _ = try await server.first(sync.orders.entry(table: table.trimmed), sync)
        let dialogue = Dialogue(terminal, prompt: "table \(table.printable)> ")
        let entry = OrderEntry(table: table.trimmed, note: note, menu: menu, sync, dialogue)
        let body = { @Sendable in
            if choices.isEmpty { await entry.run() } else { await entry.take(choices) }
            if let order = await entry.result() { dialogue.say(StyledLine(order.receipt)) }
        }
        let end = try await CommandRun.run(sync, onResize: { dialogue.redraw() }, body: body)
        try await finish(entry, end, isAsked: choices.isEmpty && dialogue.isInteractive)
    }

    /// - Parameter isAsked: Whether somebody has seen what went wrong, and gone on.
    private func finish(_ entry: OrderEntry, _ end: CommandEnd, isAsked: Bool) async throws {
        if end == .interrupted { throw ExitCode(130) }
        if await entry.failures > 0, !isAsked { throw ExitCode.failure }
    }
}

extension MenuItems {
    /// Everything on the menu.
    var whole: Query<MenuItemList> { list(Filter(sort: "name", limit: 200)) }
}

extension Order {
    /// "ORD-000005 for table 7: 2 Burger, 1 Lemonade".
    var receipt: String {
        "\(reference) for table \(table): \(items.isEmpty ? "no dishes yet" : dishes)"
            + (note.map { ", note: \($0)" } ?? "")
    }
}
