import TestSupport
import Testing

@Suite("A change on one screen appears on another", .timeLimit(.patience), .serialized)
struct ScreensTests {
    @Test("an order made on one page appears on another without a reload", .needs(.chromium))
    func twoPages() async throws {
        let server = try await BistroServer.start()
        let browser = try await Browser.start()
        let counter = try await BistroPage.open(server, in: browser)
        let kitchen = try await BistroPage.open(server, in: browser)
        try await counter.openOrder(table: "77")
        try await kitchen.showsOrder("77")
        // Dishes can be added as soon as the page has chosen the new order.
        try await counter.add("Burger")
        try await kitchen.showsOrder("77", "Burger")
        #expect(try await kitchen.isAsOpened())
        #expect(try await server.stop() == 0)
    }

    @Test("pages come back by themselves after the server was killed, and show the next change", .needs(.chromium))
    func restart() async throws {
        var server = try await BistroServer.start()
        let page = try await BistroPage.open(server, in: try await Browser.start())
        let order = try await server.openOrder(table: "81")
        try await page.showsOrder("81")

        server = try await server.killAndRestart()
        try await server.request("PATCH", "/orders/\(order)", ["note": "while you were away"])
        try await page.showsOrder("while you were away")
        try await page.isConnected()
        try await server.request("PATCH", "/orders/\(order)", ["note": "after you came back"])
        try await page.showsOrder("after you came back")
        #expect(try await page.isAsOpened())
        #expect(try await server.stop() == 0)
    }

    @Test("who edits an order hears that somebody else was faster, and decides what is kept", .needs(.chromium))
    func conflict() async throws {
        let server = try await BistroServer.start()
        let page = try await BistroPage.open(server, in: try await Browser.start())
        let order = try await server.openOrder(table: "91")
        try await page.showsOrder("91")

        try await page.edit(order)
        try await page.write(note: "mine")
        try await server.request("PATCH", "/orders/\(order)", ["note": "theirs", "table": "92"])
        try await page.notices("changed")
        try await page.save()
        try await page.notices("conflict")
        try await page.keepMine()
        try await page.save()
        try await page.showsOrder("92", "mine")
        #expect(try await server.request("GET", "/orders/\(order)")["note"] as? String == "mine")
        #expect(try await server.stop() == 0)
    }
}
