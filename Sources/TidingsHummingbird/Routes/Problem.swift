import FoundationEssentials
public import Hummingbird
import NIOCore
import TidingsWire

/// An error as clients see it: problem details for HTTP APIs (RFC 9457) with a stable code for programs.
///
/// Throw it from a route to answer with it.
public struct Problem: Error, HTTPResponseError, Sendable {
    /// The answer's status.
    public let status: HTTPResponse.Status
    /// What went wrong, for programs: stable, in snake case.
    public let code: String
    /// What went wrong and what to do, for people: one sentence without payloads or secrets.
    public let detail: String
    /// Headers of the answer besides its type.
    public let headers: HTTPFields
    /// What the answer says besides (RFC 9457 §3.2).
    var members: [JSONNode.Member] = []

    /// Describes an error.
    ///
    /// - Parameters:
    ///   - status: The answer's status.
    ///   - code: What went wrong, for programs.
    ///   - detail: What went wrong and what to do, for people.
    ///   - headers: Headers of the answer besides its type.
    public init(_ status: HTTPResponse.Status, code: String, detail: String, headers: HTTPFields = [:]) {
        self.status = status
        self.code = code
        self.detail = detail
        self.headers = headers
    }

    /// The answer.
    public func response(from request: Request, context: some RequestContext) throws -> Response {
        try makeResponse()
    }

    func makeResponse() throws -> Response {
        let body = JSONNode.members([
            "code": .string(code),
            "detail": .string(detail),
            "status": .integer(status.code),
            "title": .string(status.reasonPhrase),
            "type": .string("about:blank"),
        ])
        var headers = headers
        headers[.contentType] = "application/problem+json"
        return Response(status: status, headers: headers, body: ResponseBody(json: body.adding(members)))
    }
}

extension TimeAmount {
    /// A wait as `Retry-After` has it (RFC 9110 §10.2.3): whole seconds, none too few.
    var retryAfter: String { "\(max(1, (nanoseconds + 999_999_999) / 1_000_000_000))" }
}

extension ResponseBody {
    /// A value as JSON with sorted keys.
    init(json value: some Encodable) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        self.init(byteBuffer: ByteBuffer(bytes: try encoder.encode(value)))
    }
}

extension ResponseBody {
    /// A document as JSON, in its order.
    init(json node: JSONNode) {
        self.init(byteBuffer: ByteBuffer(bytes: node.json))
    }
}
