import FoundationEssentials
public import Hummingbird

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
        let body = Body(
            type: "about:blank",
            title: status.reasonPhrase,
            status: status.code,
            detail: detail,
            code: code
        )
        var headers = headers
        headers[.contentType] = "application/problem+json"
        return Response(status: status, headers: headers, body: try ResponseBody(json: body))
    }

    private struct Body: Encodable {
        let type: String
        let title: String
        let status: Int
        let detail: String
        let code: String
    }
}

extension ResponseBody {
    /// A value as JSON with sorted keys.
    init(json value: some Encodable) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        self.init(byteBuffer: ByteBuffer(bytes: try encoder.encode(value)))
    }
}
