public import ArgumentParser
import BistroAPI
import Foundation
import TidingsSync

/// `bistro edit`: changes one order.
public struct EditOrder: AsyncParsableCommand {
    /// How the command is called and described.
    public static let configuration = CommandConfiguration(
        commandName: "edit",
        abstract: "Change one order.",
        discussion: """
            Opens an order as it is now, and leaves it so while you change it. When somebody else changes it, that is \
            said. Saving what is based on an older version changes nothing: it shows what is different, yours and \
            theirs, and you choose. Commands can be piped in.

            Examples:
              bistro edit ORD-000004
              printf 'table 7\\nnote Window seat\\nsave\\n' | bistro edit ORD-000004

            Exit status: 0 if everything was done, 1 if not, 130 when interrupted.
            """
    )

    @OptionGroup var server: ServerOptions

    @Argument(help: "The order's identifier, or its reference.")
    var order: String

    /// Makes the command without arguments.
    public init() {}

    /// Edits the order.
    public func run() async throws {
        let terminal = SystemTerminal()
        let sync = try server.client()
        let found = try await find(sync)
        let menu = Menu(dishes: try await server.first(sync.menuItems.whole, sync).items)
        let dialogue = Dialogue(terminal, prompt: "\(found.reference.printable)> ")
        let editor = OrderEditor(found, menu: menu, sync, dialogue)
        let end = try await CommandRun.run(sync, onResize: { dialogue.redraw() }, body: { try await editor.run() })
        if end == .interrupted { throw ExitCode(130) }
        if await editor.failures > 0, !dialogue.isInteractive { throw ExitCode.failure }
    }

    private func find(_ sync: SyncClient) async throws -> Order {
        do {
            let id = try await identifier(sync)
            return try await sync.queries.fetch(sync.orders.detail(id, live: false))
        } catch let error as APIError {
            guard error.code != .notFound else { throw CommandFailure("There is no order \(order.printable).") }
            throw server.failure(error)
        }
    }

    private func identifier(_ sync: SyncClient) async throws -> UUID {
        if let id = UUID(uuidString: order) { return id }
        let request = APIRequest(.get, "/orders", query: [("reference", order.uppercased())])
        guard let found = try await sync.api.send(request, as: OrderList.self).value.items.first else {
            throw CommandFailure("There is no order \(order.printable).")
        }
        return found.id
    }
}
