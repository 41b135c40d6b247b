import HTTPTypes

#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

/// Asks a server that speaks JSON: what generated clients are made on.
///
/// ```swift
/// let api = try APIClient(baseURL: "https://example.com/api", token: { try await session.token() })
/// let order = try await api.send(APIRequest(.get, "/orders/\(id)"), as: Order.self).value
/// ```
///
/// All methods can be called from any task at any time.
public struct APIClient: Sendable {
    /// Gives the token that says who asks; nil: nobody in particular.
    public typealias Token = @Sendable () async throws -> String?

    private let transport: any HTTPTransport
    private let token: Token?
    private let scheme: String
    private let authority: String
    private let basePath: String
    private let mostBytes: Int

    /// Makes a client.
    ///
    /// - Parameters:
    ///   - baseURL: `http://host[:port]/path` or `https`, to which the paths of requests are appended.
    ///   - token: Gives the token that says who asks. Called before each request.
    ///   - transport: Who sends.
    ///   - mostBytes: How long the body of an answer may be.
    /// - Throws: ``APIError/Code/badRequest`` if the URL is none that requests can be sent to.
    public init(
        baseURL: String,
        token: Token? = nil,
        transport: any HTTPTransport = AsyncHTTPClientTransport(),
        mostBytes: Int = 16 << 20
    ) throws {
        guard let url = URL(string: baseURL), let scheme = url.scheme?.lowercased(),
            ["http", "https"].contains(scheme),
            let host = url.host(), !host.isEmpty, url.query() == nil, url.fragment() == nil, url.user() == nil
        else {
            throw APIError(
                .badRequest,
                "A base URL is http:// or https://, a host, and possibly a path. Credentials are given as a token."
            )
        }
        self.scheme = scheme
        // An address of IPv6 has to be in brackets here.
        let name = host.contains(":") && !host.hasPrefix("[") ? "[\(host)]" : host
        authority = name + (url.port.map { ":\($0)" } ?? "")
        basePath = String(url.path(percentEncoded: true).trimmingSuffix("/"))
        self.token = token
        self.transport = transport
        self.mostBytes = mostBytes
    }

    /// Sends a request, and reads the answer.
    ///
    /// - Parameters:
    ///   - request: What to ask for.
    ///   - type: What the body of the answer is; ``NoContent`` if it does not matter.
    /// - Throws: ``APIError``, also for each status that is not 2xx; what the token's function throws; `CancellationError`
    ///   when the task is cancelled, which also gives up the request.
    public func send<Value: Decodable & Sendable>(
        _ request: APIRequest,
        as type: Value.Type
    ) async throws -> APIAnswer<Value> {
        let answer = try await transport.send(try await head(of: request), body: request.body, mostBytes: mostBytes)
        guard answer.head.status.kind == .successful else { throw APIError(answer) }
        if let nothing = NoContent() as? Value { return APIAnswer(value: nothing, head: answer.head) }
        do {
            return APIAnswer(value: try JSONDecoder.api.decode(type, from: Data(answer.body)), head: answer.head)
        } catch {
            throw APIError(
                .unreadable,
                "The answer to \(request.method) \(request.path.rawValue) is not what was expected.",
                status: answer.head.status.code,
                cause: error
            )
        }
    }

    private func head(of request: APIRequest) async throws -> HTTPRequest {
        guard request.path.isValid else {
            throw APIError(.badRequest, "The path \(request.path.rawValue) leads elsewhere, or cannot be sent.")
        }
        var head = HTTPRequest(
            method: request.method,
            scheme: scheme,
            authority: authority,
            path: basePath + request.target,
            headerFields: request.headers
        )
        head.headerFields[.accept] = "application/json"
        if let token = try await token?() { head.headerFields[.authorization] = "Bearer \(token)" }
        return head
    }
}

extension APIError {
    /// What an answer says that is not 2xx.
    fileprivate init(_ answer: HTTPTransportAnswer) {
        let status = answer.head.status
        let problem = ProblemDetails(json: answer.body)
        let name = "\(status.code) \(status.reasonPhrase)".trimmingSuffix(" ")
        self.init(
            problem?.code.map(Code.init(rawValue:)) ?? .refused,
            problem?.detail ?? problem?.title ?? "The server answered \(name).",
            status: status.code,
            problem: problem,
            retryAfter: answer.head.headerFields[.retryAfter].flatMap(Int.init).map {
                .seconds(min(max($0, 0), 86_400))
            }
        )
    }
}

extension StringProtocol {
    fileprivate func trimmingSuffix(_ suffix: String) -> String {
        hasSuffix(suffix) ? String(dropLast(suffix.count)) : String(self)
    }
}
