public import HTTPTypes

/// Carries requests to servers. ``AsyncHTTPClientTransport`` does it on every platform; on Apple's, one over `URLSession`
/// uses what the system knows of networks.
///
/// All requests can be sent from any task at any time, several at once.
public protocol HTTPTransport: Sendable {
    /// Sends a request and waits for the whole answer.
    ///
    /// - Parameters:
    ///   - request: What to send; it has a scheme, an authority and a path.
    ///   - body: What goes with it; empty for nothing.
    ///   - mostBytes: How long the answer's body may be.
    /// - Returns: The answer, whatever its status.
    /// - Throws: ``APIError`` with the codes ``APIError/Code/unreachable``, ``APIError/Code/timedOut`` and
    ///   ``APIError/Code/tooLarge``; `CancellationError` when the task is cancelled, which also gives up the request.
    func send(_ request: HTTPRequest, body: [UInt8], mostBytes: Int) async throws -> HTTPTransportAnswer
}

/// What a server answered.
public struct HTTPTransportAnswer: Sendable {
    /// Status and headers.
    public var head: HTTPResponse
    /// The whole body.
    public var body: [UInt8]

    /// Makes an answer.
    ///
    /// - Parameters:
    ///   - head: Status and headers.
    ///   - body: The whole body.
    public init(head: HTTPResponse, body: [UInt8] = []) {
        self.head = head
        self.body = body
    }
}
