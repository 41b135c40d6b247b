public import AsyncHTTPClient
public import HTTPTypes
import NIOCore
import NIOHTTP1

/// Sends requests with AsyncHTTPClient.
public struct AsyncHTTPClientTransport: HTTPTransport {
    private let client: HTTPClient
    private let timeout: Duration

    /// Makes a transport over a client of the whole process, which is never shut down. A server that cannot be connected to
    /// is said to be unreachable at once, and redirects are not followed: a token goes nowhere that nobody named.
    ///
    /// - Parameter timeout: How long a request may take, from its first packet to the end of the answer.
    public init(timeout: Duration = .seconds(30)) {
        self.init(client: Self.standardClient, timeout: timeout)
    }

    /// Makes a transport over a client of one's own.
    ///
    /// - Parameters:
    ///   - client: Who sends. It has to live for as long as the transport is used.
    ///   - timeout: How long a request may take, from its first packet to the end of the answer.
    public init(client: HTTPClient, timeout: Duration = .seconds(30)) {
        self.client = client
        self.timeout = timeout
    }

    private static let standardClient: HTTPClient = {
        var configuration = HTTPClient.Configuration()
        configuration.redirectConfiguration = .disallow
        configuration.connectionPool.retryConnectionEstablishment = false
        return HTTPClient(eventLoopGroup: HTTPClient.defaultEventLoopGroup, configuration: configuration)
    }()

    /// Sends a request: ``HTTPTransport/send(_:body:mostBytes:)``.
    public func send(_ request: HTTPRequest, body: [UInt8], mostBytes: Int) async throws -> HTTPTransportAnswer {
        do {
            let response = try await client.execute(request.asynchronous(body: body), timeout: TimeAmount(timeout))
            let bytes = try await response.body.collect(upTo: mostBytes)
            return HTTPTransportAnswer(head: HTTPResponse(response), body: Array(bytes.readableBytesView))
        } catch is NIOTooManyBytesError {
            throw APIError(.tooLarge, "The answer is longer than \(mostBytes) bytes: ask for less, or raise the limit.")
        } catch let error as HTTPClientError where Self.timeouts.contains(error) {
            throw APIError(.timedOut, "The server did not answer within \(timeout).", cause: error)
        } catch {
            try Task.checkCancellation()
            throw APIError(.unreachable, "The server cannot be reached, or the connection was lost.", cause: error)
        }
    }

    private static var timeouts: [HTTPClientError] {
        [.deadlineExceeded, .connectTimeout, .readTimeout, .writeTimeout, .getConnectionFromPoolTimeout]
    }
}

extension HTTPRequest {
    fileprivate func asynchronous(body: [UInt8]) -> HTTPClientRequest {
        var request = HTTPClientRequest(url: "\(scheme ?? "http")://\(authority ?? "")\(path ?? "/")")
        request.method = HTTPMethod(rawValue: method.rawValue)
        for field in headerFields { request.headers.add(name: field.name.rawName, value: field.value) }
        if !body.isEmpty { request.body = .bytes(body) }
        return request
    }
}

extension HTTPResponse {
    fileprivate init(_ response: HTTPClientResponse) {
        var fields = HTTPFields()
        for (name, value) in response.headers {
            if let name = HTTPField.Name(name) { fields.append(HTTPField(name: name, value: value)) }
        }
        self.init(status: Status(code: Int(response.status.code)), headerFields: fields)
    }
}
