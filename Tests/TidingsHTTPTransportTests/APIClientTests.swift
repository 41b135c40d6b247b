import Foundation
import HTTPTypes
import Synchronization
import Testing
import TidingsHTTPTransport

@Suite("Who asks a server")
struct APIClientTests {
    /// Answers everything in the same way, and remembers what was asked.
    private final class Network: HTTPTransport {
        let status: Int
        let headers: HTTPFields
        let body: String
        private let asked = Mutex<[HTTPRequest]>([])

        init(_ status: Int, _ body: String, headers: HTTPFields = [:]) {
            (self.status, self.body, self.headers) = (status, body, headers)
        }

        var requests: [HTTPRequest] { asked.withLock { $0 } }

        func send(_ request: HTTPRequest, body: [UInt8], mostBytes: Int) async throws -> HTTPTransportAnswer {
            asked.withLock { $0.append(request) }
            let head = HTTPResponse(status: .init(code: status), headerFields: headers)
            return HTTPTransportAnswer(head: head, body: Array(self.body.utf8))
        }
    }

    private struct Order: Codable, Equatable {
        var id: String
    }

    @Test(
        "a base URL's path goes before those of requests",
        arguments: [
            ("http://127.0.0.1:8080", "127.0.0.1:8080", "/orders"),
            ("HTTPS://example.com/", "example.com", "/orders"),
            ("https://example.com/api/v1", "example.com", "/api/v1/orders"),
            ("https://example.com/api/v1/", "example.com", "/api/v1/orders"),
            ("http://[::1]:8080/a%20b", "[::1]:8080", "/a%20b/orders"),
        ]
    )
    func baseURL(_ url: String, _ authority: String, _ path: String) async throws {
        let network = Network(200, #"{"id":"1"}"#)
        let api = try APIClient(baseURL: url, transport: network)
        #expect(try await api.send(APIRequest(.get, "/orders"), as: Order.self).value == Order(id: "1"))
        let request = try #require(network.requests.first)
        #expect(request.authority == authority)
        #expect(request.path == path)
        #expect(request.headerFields[.accept] == "application/json")
        #expect(request.headerFields[.authorization] == nil)
    }

    @Test(
        "what is no base URL is said to be none",
        arguments: ["", "example.com", "ftp://x", "http://", "http://x/?a=b", "http://x/#a", "http://me:secret@x"]
    )
    func badURL(_ url: String) {
        let error = #expect(throws: APIError.self) { try APIClient(baseURL: url) }
        #expect(error?.code == .badRequest)
    }

    @Test("the token goes with each request; without one, nothing is sent when that fails")
    func token() async throws {
        let network = Network(200, "{}")
        let tokens = Mutex(["one", "two"])
        let api = try APIClient(
            baseURL: "http://x",
            token: {
                try tokens.withLock { tokens in
                    guard !tokens.isEmpty else { throw CancellationError() }
                    return tokens.removeFirst()
                }
            },
            transport: network
        )
        for _ in 0..<2 { _ = try await api.send(APIRequest(.get, "/"), as: NoContent.self) }
        await #expect(throws: CancellationError.self) { try await api.send(APIRequest(.get, "/"), as: NoContent.self) }
        #expect(network.requests.map { $0.headerFields[.authorization] } == ["Bearer one", "Bearer two"])
    }

    @Test("a problem is an error with the server's code, its fields, and the current entity")
    func problem() async throws {
        let body = """
            {"type": "about:blank", "title": "Conflict", "status": 409, "detail": "It has changed.", "code": "stale_version",
            "current": {"id": "7"}, "errors": [{"pointer": "/name", "code": "too_long", "message": "Too long."}]}
            """
        let api = try APIClient(baseURL: "http://x", transport: Network(409, body))
        let error = await #expect(throws: APIError.self) { try await api.send(APIRequest(.get, "/"), as: Order.self) }
        #expect(error?.code == .staleVersion)
        #expect(error?.status == 409)
        #expect(error?.message == "It has changed.")
        #expect(error?.isTransient == false)
        #expect(error?.current(as: Order.self) == Order(id: "7"))
        #expect(error?.current(as: [Order].self) == nil)
        #expect(error?.problem?.errors.map(\.pointer) == ["/name"])
    }

    @Test(
        "whether trying again can help is said by the status",
        arguments: [
            (400, false), (401, false), (404, false), (408, true), (409, false), (422, false), (429, true), (500, true),
            (501, false), (502, true), (503, true), (504, true),
        ]
    )
    func transient(_ status: Int, _ isTransient: Bool) async throws {
        let network = Network(status, "<html>oops</html>", headers: [.retryAfter: "3"])
        let api = try APIClient(baseURL: "http://x", transport: network)
        let error = await #expect(throws: APIError.self) { try await api.send(APIRequest(.get, "/"), as: Order.self) }
        #expect(error?.code == .refused)
        #expect(error?.isTransient == isTransient)
        #expect(error?.retryAfter == .seconds(3))
        #expect(error?.problem == nil)
        #expect(error?.message.contains("\(status)") == true)
        #expect(error?.description.contains("oops") == false)
    }

    @Test("an answer that is something else is said to be, without what was in it")
    func unreadable() async throws {
        let api = try APIClient(baseURL: "http://x", transport: Network(200, #"{"secret": 1}"#))
        let error = await #expect(throws: APIError.self) { try await api.send(APIRequest(.get, "/a"), as: Order.self) }
        #expect(error?.code == .unreadable)
        #expect(error?.message == "The answer to GET /a is not what was expected.")
        #expect(try await api.send(APIRequest(.get, "/"), as: NoContent.self).value == NoContent())
    }
}
