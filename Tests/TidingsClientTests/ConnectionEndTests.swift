import Testing
import TidingsWire

@testable import TidingsClient

@Suite("What a client does after a connection")
struct ConnectionEndTests {
    struct Broken: Error {}

    @Test(
        "an unwilling server is left alone, an overloaded one is tried again",
        arguments: [
            (400, false), (401, false), (403, false), (404, false), (426, false), (301, false), (200, false),
            (408, true), (429, true), (500, true), (502, true), (503, true),
        ]
    )
    func refusals(status: Int, triesAgain: Bool) {
        #expect((ConnectionEnd.refused(status: status, detail: nil).advice == .reconnect) == triesAgain)
    }

    @Test("the reason names the status, the code and what the server said")
    func reasons() {
        #expect(
            ConnectionEnd.refused(status: 403, detail: "No.").error.message
                == "The server refused the connection with status 403: No."
        )
        #expect(
            ConnectionEnd.closed(.closedByOperator, reason: "", by: .server).error.message
                == "The server closed the connection with code 4501."
        )
        #expect(ConnectionEnd.closed(.abnormal, reason: "", by: .server).error.code == .connectionLost)
    }
}

@Suite("Waits between attempts")
struct BackoffTests {
    @Test("the ceiling doubles from half a second to twenty")
    func ceilings() {
        let expected: [Duration] = [
            .milliseconds(500), .seconds(1), .seconds(2), .seconds(4), .seconds(8), .seconds(16), .seconds(20),
            .seconds(20),
        ]
        #expect((0..<8).map { Backoff().ceiling(ofAttempt: $0) } == expected)
        #expect(Backoff().ceiling(ofAttempt: 1_000_000) == .seconds(20))
    }

    @Test("waits are spread over everything from nothing to the ceiling")
    func jitter() {
        var random = SystemRandomNumberGenerator()
        let delays = (0..<2000).map { _ in Backoff().delay(beforeAttempt: 3, using: &random) }
        #expect(delays.allSatisfy { (.zero ... .seconds(4)).contains($0) })
        for quarter in 0..<4 {
            let share = delays.count { $0 >= .seconds(quarter) && $0 < .seconds(quarter + 1) }
            #expect((350...650).contains(share), "\(share) of 2000 in quarter \(quarter)")
        }
    }
}

@Suite("Where a server is")
struct WebSocketEndpointTests {
    @Test(
        "the parts of a URL",
        arguments: [
            ("ws://127.0.0.1:8080/ws/broadcast", false, "127.0.0.1", 8080, "/ws/broadcast", "127.0.0.1:8080"),
            ("wss://example.com", true, "example.com", 443, "/", "example.com"),
            ("ws://example.com?a=b%20c", false, "example.com", 80, "/?a=b%20c", "example.com"),
            ("WS://[::1]:9/x/y?z", false, "::1", 9, "/x/y?z", "[::1]:9"),
            ("wss://example.com:80/%C3%BC", true, "example.com", 80, "/%C3%BC", "example.com:80"),
        ]
    )
    func parts(url: String, isSecure: Bool, host: String, port: Int, target: String, authority: String) throws {
        let endpoint = try WebSocketEndpoint(url)
        #expect(endpoint.isSecure == isSecure)
        #expect(endpoint.host == host)
        #expect(endpoint.port == port)
        #expect(endpoint.target == target)
        #expect(endpoint.authority == authority)
    }

    @Test(
        "what is no URL of a server is refused with a sentence",
        arguments: [
            "", "example.com", "http://example.com", "ws://", "ws:///x", "ws://host#part", "ws://user:secret@host/",
            "ws://host:0/",
            "ws://host:99999/", "ws://ho st/",
        ]
    )
    func refused(url: String) {
        let error = #expect(throws: BroadcastClientError.self) { try WebSocketEndpoint(url) }
        #expect(error?.code == .badURL)
        #expect(error?.message.contains("secret") == false)
    }
}
