import Foundation
import SocketTestSupport
import TestSupport

/// A headless Chromium that a test drives over the DevTools protocol.
final class Browser: Sendable {
    private let program: RunningProgram
    private let connection: DevToolsConnection
    private let profile: TemporaryFolder

    private init(program: RunningProgram, connection: DevToolsConnection, profile: TemporaryFolder) {
        self.program = program
        self.connection = connection
        self.profile = profile
    }

    deinit {
        program.kill()
        // The folder goes when nobody writes to it any more.
        Task { [program, profile] in
            _ = try? await program.exitStatus()
            withExtendedLifetime(profile) {}
        }
    }

    static func start() async throws -> Browser {
        let profile = try TemporaryFolder()
        let program = try RunningProgram.start(
            try Tool.chromium.require(),
            [
                "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
                "--disable-background-networking", "--remote-debugging-port=0",
                "--user-data-dir=\(profile.file("profile"))",
                "about:blank",
            ],
            temporaryFolder: profile
        )
        let line = try await program.line(containing: "DevTools listening on ", from: program.errors)
        guard let url = line.firstRange(of: "ws://").map({ String(line[$0.lowerBound...]) }) else {
            throw TestFailure("the browser does not say where to connect: \(line)")
        }
        let connection = try await DevToolsConnection.connect(to: url.trimmingCharacters(in: .whitespaces))
        return Browser(program: program, connection: connection, profile: profile)
    }

    /// Opens a page in a window of its own.
    func open(_ url: String) async throws -> Page {
        let target = try await connection.call("Target.createTarget", ["url": url])
        let session = try await connection.call(
            "Target.attachToTarget",
            ["targetId": try target.string("targetId"), "flatten": true]
        )
        return Page(browser: self, connection: connection, session: try session.string("sessionId"))
    }
}

/// One page in the browser.
struct Page: Sendable {
    let browser: Browser
    let connection: DevToolsConnection
    let session: String

    /// The value of an expression of JavaScript, as text.
    func text(_ expression: String) async throws -> String {
        let answer = try await connection.call(
            "Runtime.evaluate",
            ["expression": "String(\(expression))", "awaitPromise": true, "returnByValue": true],
            session: session
        )
        guard let result = answer.value["result"] as? [String: Any], let value = result["value"] as? String else {
            throw TestFailure("\(expression) has no value: \(answer.value)")
        }
        return value
    }

    /// Records from now on what the page asks the network for.
    func recordRequests() async throws {
        _ = try await connection.call("Network.enable", [:], session: session)
    }

    /// The addresses that the page has asked the network for, in order; of `data:` too, which go nowhere.
    func requests() -> [String] { connection.requests(of: session) }

    /// Waits until an expression of JavaScript is true.
    func wait(for expression: String) async throws {
        try await eventually("\(expression) in the page") {
            try await text("Boolean(\(expression))") == "true"
        }
    }

    /// Makes the page's window as large as another screen, and its owner like light or dark colours.
    func emulate(width: Int, height: Int, isDark: Bool = false) async throws {
        _ = try await connection.call(
            "Emulation.setDeviceMetricsOverride",
            ["width": width, "height": height, "deviceScaleFactor": 1, "mobile": false],
            session: session
        )
        let scheme: [[String: String]] = [["name": "prefers-color-scheme", "value": isDark ? "dark" : "light"]]
        _ = try await connection.call("Emulation.setEmulatedMedia", ["features": scheme], session: session)
    }

    /// What a person would see in the page's window, as PNG.
    func screenshot() async throws -> Data {
        let answer = try await connection.call("Page.captureScreenshot", ["format": "png"], session: session)
        guard let data = Data(base64Encoded: try answer.string("data")) else { throw TestFailure("no screenshot") }
        return data
    }
}
