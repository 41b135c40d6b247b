import Foundation
import SocketTestSupport
import Testing

@Suite("A change on one screen appears on another", .timeLimit(.minutes(3)), .serialized)
struct ScreensTests {
    @Test("an order made on one page appears on another without a reload", .needs(.chromium))
    func twoPages() async throws {
        let server = try await BistroServer.start()
        let browser = try await Browser.start()
        let (counter, kitchen) = (try await browser.open(server.page), try await browser.open(server.page))
        for page in [counter, kitchen] { try await page.wait(for: Self.isConnected) }
        _ = try await kitchen.text("globalThis.notReloaded = true")

        _ = try await counter.text(
            """
            (() => {
              const table = document.querySelector('[data-testid=new-order-table]');
              table.value = '77';
              table.dispatchEvent(new Event('input', { bubbles: true }));
              document.querySelector('[data-testid=new-order-button]').click();
            })()
            """
        )
        try await kitchen.wait(for: Self.card(containing: "77"))

        // Dishes can be added as soon as the page has chosen the new order.
        let burger = "document.querySelector('[data-testid=menu-item][data-name=Burger]')"
        try await counter.wait(for: "!\(burger).matches(':disabled')")
        _ = try await counter.text("\(burger).click()")
        try await kitchen.wait(for: Self.card(containing: "77", and: "Burger"))
        #expect(try await kitchen.text("globalThis.notReloaded") == "true")
        #expect(try await server.stop() == 0)
    }

    @Test("pages come back by themselves after the server was killed, and show the next change", .needs(.chromium))
    func restart() async throws {
        var server = try await BistroServer.start()
        let browser = try await Browser.start()
        let page = try await browser.open(server.page)
        try await page.wait(for: Self.isConnected)
        _ = try await page.text("globalThis.notReloaded = true")
        let order = try await server.openOrder(table: "81")
        try await page.wait(for: Self.card(containing: "81"))

        server = try await server.killAndRestart()
        try await server.request("PATCH", "/orders/\(order)", ["note": "while you were away"])
        try await page.wait(for: Self.card(containing: "while you were away"))
        try await page.wait(for: Self.isConnected)
        try await server.request("PATCH", "/orders/\(order)", ["note": "after you came back"])
        try await page.wait(for: Self.card(containing: "after you came back"))
        #expect(try await page.text("globalThis.notReloaded") == "true")
        #expect(try await server.stop() == 0)
    }

    @Test("who edits an order hears that somebody else was faster, and decides what is kept", .needs(.chromium))
    func conflict() async throws {
        let server = try await BistroServer.start()
        let browser = try await Browser.start()
        let page = try await browser.open(server.page)
        try await page.wait(for: Self.isConnected)
        let order = try await server.openOrder(table: "91")
        try await page.wait(for: Self.card(containing: "91"))

        _ = try await page.text("location.hash = '#/orders/\(order)'")
        try await page.wait(for: "document.querySelector('[data-testid=order-dialog]')?.open")
        _ = try await page.text(
            """
            (() => {
              const note = document.querySelector('[data-testid=edit-order-note]');
              note.value = 'mine';
              note.dispatchEvent(new Event('input', { bubbles: true }));
            })()
            """
        )
        try await server.request("PATCH", "/orders/\(order)", ["note": "theirs", "table": "92"])
        try await page.wait(for: Self.notice("changed"))

        let save = "document.querySelector('[data-testid=edit-order-save]').click()"
        _ = try await page.text(save)
        try await page.wait(for: Self.notice("conflict"))
        _ = try await page.text("document.querySelector('[data-testid=order-dialog] [data-testid=mine]').click()")
        _ = try await page.text(save)
        try await page.wait(for: Self.card(containing: "92", and: "mine"))
        #expect(try await server.request("GET", "/orders/\(order)")["note"] as? String == "mine")
        #expect(try await server.stop() == 0)
    }

    private static let isConnected = "document.querySelector('[data-testid=connection]')?.dataset.state === 'connected'"

    private static func notice(_ kind: String) -> String {
        "document.querySelector('[data-testid=order-dialog] [data-testid=notice]').dataset.kind === '\(kind)'"
    }

    private static func card(containing text: String, and other: String = "") -> String {
        """
        [...document.querySelectorAll('[data-testid=kitchen-order]')]
          .some(card => card.textContent.includes('\(text)') && card.textContent.includes('\(other)'))
        """
    }
}
