public import HTTPTypes

#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

/// A request to an API: what to do with what.
public struct APIRequest: Sendable {
    /// What to do.
    public var method: HTTPRequest.Method
    /// With what, below the base URL.
    public var path: APIPath
    /// The parameters of the query, in their order. Those without a value are left out.
    public var query: [(name: String, value: String?)]
    /// What else goes with it.
    public var headers = HTTPFields()
    /// The JSON that goes with it; empty for nothing.
    public var body: [UInt8] = []

    /// Makes a request without a body.
    ///
    /// - Parameters:
    ///   - method: What to do.
    ///   - path: With what.
    ///   - query: The parameters of the query.
    public init(
        _ method: HTTPRequest.Method = .get,
        _ path: APIPath,
        query: [(name: String, value: String?)] = []
    ) {
        self.method = method
        self.path = path
        self.query = query
    }

    /// Makes a request with a body of JSON.
    ///
    /// - Parameters:
    ///   - method: What to do.
    ///   - path: With what.
    ///   - body: What goes with it.
    /// - Throws: ``APIError/Code/badRequest`` if it cannot be encoded.
    public init(_ method: HTTPRequest.Method, _ path: APIPath, body: some Encodable) throws {
        self.init(method, path)
        do {
            self.body = Array(try JSONEncoder.api.encode(body))
        } catch {
            throw APIError(.badRequest, "The body of \(method) \(path.rawValue) cannot be encoded.", cause: error)
        }
        headers[.contentType] = "application/json"
    }

    /// The path and the query as they are sent.
    var target: String {
        let parameters = query.compactMap { name, value in
            value.map { "\(name.percentEncoded)=\($0.percentEncoded)" }
        }
        return path.rawValue + (parameters.isEmpty ? "" : "?" + parameters.joined(separator: "&"))
    }
}

/// What a server answered.
public struct APIAnswer<Value: Sendable>: Sendable {
    /// The body.
    public let value: Value
    /// Status and headers.
    public let head: HTTPResponse

    /// Makes an answer.
    ///
    /// - Parameters:
    ///   - value: The body.
    ///   - head: Status and headers.
    public init(value: Value, head: HTTPResponse) {
        self.value = value
        self.head = head
    }
}

/// The body of an answer that has none.
public struct NoContent: Hashable, Sendable, Codable {
    /// Makes one.
    public init() {}
}
