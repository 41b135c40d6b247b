import HTTPTypes
import Synchronization
import TidingsHTTPTransport

/// A network whose answers a test gives when it wants to.
final class FakeTransport: HTTPTransport {
    struct Request: Sendable {
        let head: HTTPRequest
        let body: [UInt8]
        let call: FakeServer<HTTPTransportAnswer>.Call

        var line: String { "\(head.method) \(head.path ?? "")" }
        var text: String { String(decoding: body, as: UTF8.self) }

        func header(_ name: String) -> String? { HTTPField.Name(name).flatMap { head.headerFields[$0] } }

        /// Answers.
        func succeed(_ json: String, status: Int = 200, position: String? = nil, headers: HTTPFields = [:]) {
            var head = HTTPResponse(status: .init(code: status), headerFields: headers)
            if let position, let name = HTTPField.Name("Tidings-Position") { head.headerFields[name] = position }
            call.succeed(HTTPTransportAnswer(head: head, body: Array(json.utf8)))
        }

        func fail(_ error: any Error = APIError(.unreachable, "The server cannot be reached.")) {
            call.fail(error)
        }
    }

    private let server = FakeServer<HTTPTransportAnswer>()
    private let heads = Mutex<[(HTTPRequest, [UInt8])]>([])

    /// All requests, the first one first.
    var requests: [Request] {
        zip(heads.withLock { $0 }, server.calls).map { Request(head: $0.0, body: $0.1, call: $1) }
    }

    /// Those that were not answered.
    var open: [Request] { requests.filter { !$0.call.isAnswered } }
    var count: Int { server.count }

    /// How often something was asked for.
    func count(_ line: String) -> Int { requests.count { $0.line == line } }

    func send(_ request: HTTPRequest, body: [UInt8], mostBytes: Int) async throws -> HTTPTransportAnswer {
        heads.withLock { $0.append((request, body)) }
        return try await server.request()
    }
}
