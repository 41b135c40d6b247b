import Synchronization
import TestSupport
import Testing
import TidingsClient
import TidingsQuery

@testable import TidingsSync

@Suite("The connection, as a screen shows it", .timeLimit(.patience))
struct ConnectionTests {
    private static let failure = BroadcastClientError(.closedByServer, "The server wants this client to stay away.")

    @Test(
        "an indicator says how it stands, and in full form what is wrong",
        arguments: [
            (.connecting, .working, "Connecting", "Connecting"), (.connected, .good, "Live", "Live"),
            (.reconnecting, .working, "Reconnecting", "Reconnecting"), (.disconnected, .bad, "Offline", "Offline"),
            (
                .failed(failure), .bad, "Not connected: The server wants this client to stay away.", "Not connected"
            ),
        ] as [(BroadcastClient.State, ConnectionIndicator.Tone, String, String)]
    )
    func indicator(_ state: BroadcastClient.State, _ tone: ConnectionIndicator.Tone, _ full: String, _ compact: String)
    {
        #expect(ConnectionIndicator(state).text == full)
        #expect(ConnectionIndicator(state, form: .compact).text == compact)
        #expect(ConnectionIndicator(state).tone == tone)
        #expect(ConnectionIndicator(state).isVisible)
        #expect(ConnectionIndicator(state, hidesWhenConnected: true).isVisible == (state != .connected))
    }

    @Test("each tone has a symbol of its own")
    func symbols() {
        let states: [BroadcastClient.State] = [.connected, .connecting, .failed(Self.failure)]
        #expect(Set(states.map { ConnectionIndicator($0).symbol }).count == 3)
    }

    @Test("polling begins one interval after the connection is lost, and ends with the next one")
    func fallback() throws {
        let bench = try SyncBench()
        let table = bench.sync.fallbacks
        var fallback: PollingFallback? = PollingFallback(of: ["notes"], every: .seconds(10), in: bench.sync)
        func due(after seconds: Int) -> [QueryKey] {
            bench.advance(.seconds(seconds))
            return table.takeDue(at: bench.queries.time.now).keys
        }
        #expect(due(after: 0).isEmpty)
        #expect(due(after: 9).isEmpty)
        #expect(due(after: 1) == [["notes"]])
        #expect(due(after: 0).isEmpty)
        #expect(due(after: 10) == [["notes"]])
        table.setConnected(true)
        #expect(due(after: 100).isEmpty)
        table.setConnected(false)
        #expect(due(after: 0).isEmpty)
        #expect(due(after: 10) == [["notes"]])
        withExtendedLifetime(fallback) {}
        fallback = nil
        #expect(due(after: 100).isEmpty)
    }

    @Test(
        "broadcasts come from the host of the base URL, below its path",
        arguments: [
            ("http://127.0.0.1:8080", "ws://127.0.0.1:8080/ws/broadcast"),
            ("https://example.com/", "wss://example.com/ws/broadcast"),
            ("HTTPS://example.com/api", "wss://example.com/api/ws/broadcast"),
        ]
    )
    func broadcastURL(_ base: String, _ url: String) {
        #expect(SyncClient.broadcastURL(of: base) == url)
    }

    @Test(
        "a URL that nothing can be asked of is said to be none",
        arguments: ["", "localhost:8080", "ftp://example.com"]
    )
    func badURL(_ url: String) {
        #expect(throws: APIError.self) { try SyncClient(baseURL: url) }
    }

    @Test("entities are kept locally as far as the configuration says")
    func localFirst() {
        var configuration = SyncClient.Configuration(baseURL: "http://127.0.0.1:1")
        #expect(!configuration.isLocalFirst("order"))
        configuration.isLocalFirst = true
        configuration.localFirst["settings"] = false
        #expect(configuration.isLocalFirst("order"))
        #expect(!configuration.isLocalFirst("settings"))
    }
}
