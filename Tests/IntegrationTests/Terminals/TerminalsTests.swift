import SocketTestSupport
import TestSupport
import Testing

@Suite("Terminals and a page at the same server", .timeLimit(.patience), .serialized)
struct TerminalsTests {
    @Test("each shows what the others do, also after the server was killed", .needs(.chromium))
    func allScreens() async throws {
        var server = try await BistroServer.start()
        let page = try await BistroPage.open(server, in: try await Browser.start())
        let kitchen = try server.client("kitchen")
        try await kitchen.line(containing: "Live", from: kitchen.errors)
        let counter = try server.terminal("order", "55")
        try await counter.shows("Table 55: nothing ordered yet")

        // An order of one terminal, in the other and on the page.
        counter.type("burger 5")
        let line = try await kitchen.line(containing: "5 Burger")
        let order = try #require(line.split(separator: " ").first.map(String.init))
        try await page.showsOrder("55", order, "Burger")
        try await counter.shows("the order is confirmed") { $0.contains("\(order)  open") && !$0.contains("~") }
        counter.type("note No onions")
        try await kitchen.line(containing: "\(order) note: No onions")
        try await page.showsOrder(order, "No onions")

        // An order and a state of the page, in the terminals.
        try await page.openOrder(table: "77")
        try await kitchen.line(containing: "table 77")
        try await page.advance(order)
        try await kitchen.line(containing: "\(order) preparing")
        try await counter.shows("\(order)  preparing")

        try await server.kill()
        try await kitchen.line(containing: "Reconnecting", from: kitchen.errors)
        try await counter.shows("Reconnecting")
        try await page.isDisconnected()
        server = try await server.restart()
        try await kitchen.line(containing: "Live", from: kitchen.errors)
        try await counter.shows("the connection is back") { !$0.contains("Reconnecting") }
        try await page.isConnected()

        try await page.advance(order)
        try await kitchen.line(containing: "\(order) ready")
        try await counter.shows("\(order)  ready")
        counter.type("espresso")
        try await kitchen.line(containing: "\(order) items: 5 Burger, 1 Espresso")
        try await page.showsOrder(order, "Espresso")

        // It is each the one that was started.
        counter.type("send")
        #expect(try await counter.exitStatus() == 0)
        #expect(counter.output.contains("\(order) for table 55: 5 Burger, 1 Espresso, note: No onions"))
        kitchen.interrupt()
        #expect(try await kitchen.exitStatus() == 0)
        #expect(try await page.isAsOpened())
        #expect(try await server.stop() == 0)
    }

    @Test("what the kitchen's keyboard does is shown on a page and in another terminal", .needs(.chromium))
    func keyboard() async throws {
        let server = try await BistroServer.start()
        let page = try await BistroPage.open(server, in: try await Browser.start())
        let board = try server.client("kitchen", "--table", "33")
        try await board.line(containing: "Live", from: board.errors)
        let order = try await server.openOrder(table: "33")
        let reference = try await server.reference(of: order)
        try await board.line(containing: reference)
        let kitchen = try server.terminal("kitchen", "--table", "33")
        try await eventually("the kitchen shows \(reference)") { kitchen.output.contains(reference) }

        kitchen.press("\u{1B}[B")
        kitchen.press("\r")
        try await board.line(containing: "\(reference) preparing")
        try await page.showsOrder(reference, "Mark ready")
        kitchen.press("q")
        #expect(try await kitchen.exitStatus() == 0)
        #expect(try await server.stop() == 0)
    }

    @Test("who edits an order in a terminal hears what the page did, and decides what is kept", .needs(.chromium))
    func edit() async throws {
        let server = try await BistroServer.start()
        let page = try await BistroPage.open(server, in: try await Browser.start())
        let order = try await server.openOrder(table: "91")
        let reference = try await server.reference(of: order)
        try await page.showsOrder(reference)
        let editor = try server.client("edit", reference)
        try await editor.line(containing: "\(reference)  version 1")
        editor.type("note mine")

        try await page.edit(order)
        try await page.write(note: "theirs")
        try await page.save()
        try await editor.line(containing: "\(reference) was changed by somebody else")
        editor.type("save")
        try await editor.line(containing: "Not saved: somebody else was faster", from: editor.errors)
        try await editor.line(containing: "yours mine, theirs theirs")
        #expect(try await server.request("GET", "/orders/\(order)")["note"] as? String == "theirs")

        editor.type("mine")
        try await editor.line(containing: "Everything is decided")
        editor.type("save")
        try await editor.line(containing: "Saved: \(reference) is at version 3.")
        try await page.showsOrder(reference, "mine")
        editor.type("quit")
        // Something of what was asked for was not done.
        #expect(try await editor.exitStatus() == 1)
        #expect(try await server.request("GET", "/orders/\(order)")["note"] as? String == "mine")
        #expect(try await server.stop() == 0)
    }
}
