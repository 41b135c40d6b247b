import Foundation
import Hummingbird
import Logging
import ServiceLifecycle
import SocketTestSupport
import TestSupport
import Testing
import TidingsBroadcast
import TidingsHummingbird

@Suite("The console in a browser", .timeLimit(.patience), .serialized)
struct ConsoleScreenTests {
    private static let secret = "the secret of those who operate it"

    @Test(
        "it asks for the secret, shows numbers that change, and makes no HTTP request after it was loaded",
        .needs(.chromium)
    )
    func console() async throws {
        try await Self.withServer { port, broadcast in
            let client = try await TestSocket.connect(to: "ws://127.0.0.1:\(port)/ws/broadcast")
            try await client.subscribe(to: "order", "table:7")
            let browser = try await Browser.start()
            let page = try await browser.open("http://127.0.0.1:\(port)/console")
            try await page.recordRequests()
            try await page.wait(for: "document.querySelector('#secret')")
            #expect(try await page.text("document.querySelector('#state')") == "null")
            try await Self.signIn(page, with: "something else")
            try await page.wait(for: "document.querySelector('#message')?.textContent === 'This is not the secret.'")
            try await Self.signIn(page, with: Self.secret)

            try await page.wait(for: "document.querySelector('#state')?.textContent === 'Live'")
            try await page.wait(for: "document.querySelector('#connections').textContent === '1'")
            try await page.wait(for: "document.querySelector('#parts').textContent.includes('broadcast')")
            try await page.wait(for: "document.readyState === 'complete'")
            #expect(try await page.text("document.querySelector('#channels').textContent") == "order1table:71")
            #expect(try await page.text("document.cookie") == "")
            // The document and what it is made of, and the one WebSocket.
            let loading = page.requests()
            #expect(loading.count { $0.hasSuffix("/console/page.js") } == 1, "\(loading)")
            #expect(loading.count { $0.hasPrefix("ws://") && $0.hasSuffix("/console/feed") } == 1, "\(loading)")

            for _ in 0..<40 { try await broadcast.broadcast("updated", on: "order") }
            try await page.wait(for: "document.querySelector('#published').textContent === '40'")
            client.send("this is not JSON")
            try await page.wait(for: "document.querySelector('#errors').textContent.includes('bad_json')")
            try await page.wait(for: "Number(document.querySelector('#rate').textContent) === 0")
            try await page.wait(for: "document.querySelector('#chart-line').getAttribute('d').split('L').length > 3")
            // On a desk and on a phone nothing is wider than the screen.
            for (width, isDark) in [(1200, false), (360, true)] {
                try await page.emulate(width: width, height: 1400, isDark: isDark)
                #expect(try await page.text("document.documentElement.scrollWidth <= innerWidth") == "true")
                try await Self.keep(page, as: "console-\(width).png")
            }
            #expect(page.requests() == loading)

            client.close()
            try await page.wait(for: "document.querySelector('#connections').textContent === '0'")
            #expect(page.requests() == loading)
        }
    }

    @Test("a page that lost its server says so, and shows the next one without a reload", .needs(.chromium))
    func reconnects() async throws {
        let browser = try await Browser.start()
        let (page, port) = try await Self.withServer { port, _ in
            let page = try await browser.open("http://127.0.0.1:\(port)/console")
            try await page.wait(for: "document.querySelector('#secret')")
            try await Self.signIn(page, with: Self.secret)
            try await page.wait(for: "document.querySelector('#state')?.textContent === 'Live'")
            _ = try await page.text("globalThis.notReloaded = true")
            return (page, port)
        }
        try await page.wait(for: "document.querySelector('#state').dataset.state === 'disconnected'")
        try await page.wait(for: "document.querySelector('main').classList.contains('old')")
        try await Self.withServer(port: port) { _, broadcast in
            try await page.wait(for: "document.querySelector('#state').textContent === 'Live'")
            try await broadcast.broadcast("updated", on: "order")
            try await page.wait(for: "document.querySelector('#published').textContent === '1'")
            let state = try await page.text("notReloaded && !document.querySelector('main').classList.contains('old')")
            #expect(state == "true")
        }
    }

    private static func signIn(_ page: Page, with secret: String) async throws {
        _ = try await page.text(
            """
            (() => {
              document.querySelector('#secret').value = '\(secret)';
              document.querySelector('form button').click();
            })()
            """
        )
    }

    /// For a person to look at, if one says where: `CONSOLE_SCREENSHOTS=folder`.
    private static func keep(_ page: Page, as name: String) async throws {
        guard let folder = ProcessInfo.processInfo.environment["CONSOLE_SCREENSHOTS"] else { return }
        try await page.screenshot().write(to: URL(fileURLWithPath: folder).appendingPathComponent(name))
    }

    private static func withServer<Result: Sendable>(
        port: Int = 0,
        _ body: @Sendable (_ port: Int, WebSocketBroadcastBackend) async throws -> Result
    ) async throws -> Result {
        var configuration = BroadcastHub.Configuration()
        configuration.drainWindow = .milliseconds(20)
        let broadcast = WebSocketBroadcastBackend(hub: BroadcastHub(configuration: configuration))
        var endpoints = BroadcastEndpoints()
        endpoints.console = try Console(secret: secret)
        let ports = Inbox<Int>()
        let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        let application = Application(
            router: Router(),
            broadcast: broadcast,
            endpoints: endpoints,
            configuration: ApplicationConfiguration(address: .hostname("127.0.0.1", port: port)),
            onServerRunning: { ports.put($0.localAddress?.port ?? 0) },
            logger: logger
        )
        let group = ServiceGroup(
            configuration: .init(services: [application, BroadcastDrain(broadcast)], logger: logger)
        )
        return try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask {
                defer { ports.end() }
                try await group.run()
            }
            guard let port = try await ports.next() else { throw TestFailure("the server did not start") }
            let result: Result
            do {
                result = try await body(port, broadcast)
            } catch {
                tasks.cancelAll()
                throw error
            }
            await group.triggerGracefulShutdown()
            try await tasks.waitForAll()
            return result
        }
    }
}
