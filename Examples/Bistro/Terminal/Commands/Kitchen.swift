public import ArgumentParser
import BistroAPI
import TidingsSync

/// `bistro kitchen`: what there is to cook, and how far it is.
public struct Kitchen: AsyncParsableCommand {
    /// How the command is called and described.
    public static let configuration = CommandConfiguration(
        abstract: "Show what there is to cook.",
        discussion: """
            Shows the open, preparing and ready orders, the oldest first, and redraws them when somebody changes one. \
            While the connection is away they are asked for every few seconds. With the arrows an order is chosen, and \
            enter moves it to its next state.

            Without a terminal it prints a line for each change, and on standard error how the connection stands.

            Examples:
              bistro kitchen
              bistro kitchen --url http://192.168.1.20:8080 --table 7 --table 8
              bistro kitchen | grep ready

            Exit status: 0 when it is ended, 1 when there is no restaurant.
            """
    )

    @OptionGroup var server: ServerOptions

    @Option(help: "Show only this table; may be given several times.")
    var table: [String] = []

    /// Makes the command without arguments.
    public init() {}

    /// Shows the kitchen until it is ended.
    public func run() async throws {
        let terminal = SystemTerminal()
        let sync = try server.client()
        let query = sync.orders.kitchen(tables: table)
        _ = try await server.first(query, sync)
        let fallback = PollingFallback(of: Orders.entity.keys.all, in: sync)
        defer { withExtendedLifetime(fallback) {} }
        let screen = KitchenScreen(query, tables: table, of: sync, on: terminal)
        do {
            let feed = KitchenFeed(query: query, sync: sync, terminal: terminal)
            let body = terminal.showsScreen ? screen.run : feed.run
            _ = try await CommandRun.run(sync, onResize: { await screen.redraw() }, body: body)
        } catch is TerminalClosed {
            // Who read it has what they wanted.
        }
    }
}

extension Orders {
    /// The orders that the kitchen has to do with, the oldest first.
    ///
    /// - Parameter tables: Of which tables; all if there are none.
    func kitchen(tables: [String]) -> Query<OrderList> {
        list(Filter(table: tables, status: [.open, .preparing, .ready], sort: "created_at", limit: 200))
    }
}
