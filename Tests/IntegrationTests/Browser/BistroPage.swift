/// The demo's page, as people look at it and use it.
struct BistroPage: Sendable {
    let page: Page

    /// Opens it, and waits until it shows what others do.
    static func open(_ server: BistroServer, in browser: Browser) async throws -> BistroPage {
        let page = BistroPage(page: try await browser.open(server.page))
        try await page.isConnected()
        _ = try await page.page.text("globalThis.notReloaded = true")
        return page
    }

    /// Waits until changes arrive.
    func isConnected() async throws { try await page.wait(for: "\(Self.state) === 'connected'") }

    /// Waits until it is known that no changes arrive.
    func isDisconnected() async throws { try await page.wait(for: "\(Self.state) !== 'connected'") }

    /// Whether it is still the one that was opened.
    func isAsOpened() async throws -> Bool { try await page.text("globalThis.notReloaded") == "true" }

    /// Waits until the kitchen has an order with all of some texts.
    func showsOrder(_ texts: String...) async throws {
        try await page.wait(for: "\(Self.card(texts)) !== undefined")
    }

    /// Opens an order, and chooses it.
    func openOrder(table: String) async throws {
        try await fill("new-order-table", with: table)
        try await click("[data-testid=new-order-button]")
    }

    /// Adds a dish to the order that is chosen.
    func add(_ dish: String) async throws {
        let button = "[data-testid=menu-item][data-name='\(dish)']"
        try await page.wait(for: "!document.querySelector(\"\(button)\").matches(':disabled')")
        try await click(button)
    }

    /// Moves an order to its next state.
    func advance(_ texts: String...) async throws {
        _ = try await page.text("\(Self.card(texts)).querySelector('[data-testid=advance]').click()")
    }

    // MARK: The dialog of an order

    /// Opens an order's dialog.
    func edit(_ order: String) async throws {
        _ = try await page.text("location.hash = '#/orders/\(order)'")
        try await page.wait(for: "document.querySelector('[data-testid=order-dialog]')?.open")
    }

    /// Writes a note into the dialog.
    func write(note: String) async throws { try await fill("edit-order-note", with: note) }

    /// Saves what is in the dialog.
    func save() async throws { try await click("[data-testid=edit-order-save]") }

    /// Decides for what was written here.
    func keepMine() async throws { try await click("[data-testid=order-dialog] [data-testid=mine]") }

    /// Waits until the dialog says what has happened.
    func notices(_ kind: String) async throws {
        let notice = "document.querySelector('[data-testid=order-dialog] [data-testid=notice]')"
        try await page.wait(for: "\(notice).dataset.kind === '\(kind)'")
    }

    // MARK: Parts

    private static let state = "document.querySelector('[data-testid=connection]')?.dataset.state"

    private static func card(_ texts: [String]) -> String {
        let conditions = texts.map { "card.textContent.includes('\($0)')" }.joined(separator: " && ")
        return "[...document.querySelectorAll('[data-testid=kitchen-order]')].find(card => \(conditions))"
    }

    private func click(_ selector: String) async throws {
        _ = try await page.text("document.querySelector(\"\(selector)\").click()")
    }

    private func fill(_ field: String, with value: String) async throws {
        _ = try await page.text(
            """
            (() => {
              const field = document.querySelector('[data-testid=\(field)]');
              field.value = '\(value)';
              field.dispatchEvent(new Event('input', { bubbles: true }));
            })()
            """
        )
    }
}
