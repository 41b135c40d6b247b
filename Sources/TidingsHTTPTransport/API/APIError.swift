/// Why a request did not do what it was to do.
public struct APIError: Error, Sendable {
    /// What kind of failure it was. Later versions, and servers, may add codes.
    public struct Code: RawRepresentable, Hashable, Sendable {
        /// The code's name. That of a problem is the server's own, such as `stale_version`.
        public let rawValue: String

        /// Takes any code, known or not.
        public init(rawValue: String) {
            self.rawValue = rawValue
        }

        /// The server cannot be reached, or the connection was lost. Whether the request was done is not known.
        public static let unreachable = Code(rawValue: "unreachable")
        /// The server did not answer in time. Whether the request was done is not known.
        public static let timedOut = Code(rawValue: "timed_out")
        /// The answer is longer than it may be.
        public static let tooLarge = Code(rawValue: "too_large")
        /// The answer is not what was expected.
        public static let unreadable = Code(rawValue: "unreadable")
        /// The server refused the request without a code of its own.
        public static let refused = Code(rawValue: "refused")
        /// The request cannot be sent as it is.
        public static let badRequest = Code(rawValue: "bad_request")
        /// The version that the change was based on is not the current one: ``APIError/current(as:)``.
        public static let staleVersion = Code(rawValue: "stale_version")
        /// The entity is not the one that `If-Match` names: ``APIError/current(as:)``.
        public static let preconditionFailed = Code(rawValue: "precondition_failed")
        /// The state cannot follow the current one.
        public static let illegalTransition = Code(rawValue: "illegal_transition")
        /// Fields are not what they have to be: ``ProblemDetails/errors``.
        public static let invalid = Code(rawValue: "invalid")
        /// There is no such thing.
        public static let notFound = Code(rawValue: "not_found")
    }

    /// What kind of failure it was.
    public let code: Code
    /// One sentence for people. It has no payload and no secret in it.
    public let message: String
    /// The status of the answer; nil if there was none.
    public let status: Int?
    /// What the server said of it; nil if it said nothing that could be read.
    public let problem: ProblemDetails?
    /// After which time the server wants to be asked again; nil if it did not say.
    public let retryAfter: Duration?
    /// The failure underneath, where there is one.
    public let cause: (any Error)?

    /// Describes a failure.
    ///
    /// - Parameters:
    ///   - code: What kind of failure it was.
    ///   - message: One sentence for people.
    ///   - status: The status of the answer.
    ///   - problem: What the server said of it.
    ///   - retryAfter: After which time the server wants to be asked again.
    ///   - cause: The failure underneath.
    public init(
        _ code: Code,
        _ message: String,
        status: Int? = nil,
        problem: ProblemDetails? = nil,
        retryAfter: Duration? = nil,
        cause: (any Error)? = nil
    ) {
        self.code = code
        self.message = message
        self.status = status
        self.problem = problem
        self.retryAfter = retryAfter
        self.cause = cause
    }
}

extension APIError {
    /// Whether the same request may be answered otherwise later: there was no answer, or one that is about the server
    /// (408, 425, 429, 500, 502, 503, 504) rather than the request.
    public var isTransient: Bool {
        guard let status else { return code == .unreachable || code == .timedOut }
        return [408, 425, 429, 500, 502, 503, 504].contains(status)
    }

    /// The thing as it is at the server, where an answer of status 409 brings it along; nil if it does not.
    ///
    /// - Parameter type: What it is.
    public func current<Entity: Decodable>(as type: Entity.Type) -> Entity? {
        problem?.member("current", as: type)
    }
}

extension APIError: CustomStringConvertible {
    /// Code, status, message and cause, without data.
    public var description: String {
        "\(code.rawValue)\(status.map { " (\($0))" } ?? ""): \(message)"
            + (cause.map { " (\(Self.text(of: $0)))" } ?? "")
    }

    /// What an error says of itself. Of one that is about data, only where it is: descriptions end up in logs.
    private static func text(of cause: any Error) -> String {
        switch cause {
        case DecodingError.typeMismatch(_, let context), DecodingError.valueNotFound(_, let context),
            DecodingError.dataCorrupted(let context):
            "at \(path(context.codingPath))"
        case DecodingError.keyNotFound(let key, let context): "no \(path(context.codingPath + [key]))"
        case EncodingError.invalidValue(_, let context): "at \(path(context.codingPath))"
        default: "\(cause)"
        }
    }

    private static func path(_ keys: [any CodingKey]) -> String {
        "/" + keys.map { $0.intValue.map { String($0) } ?? $0.stringValue }.joined(separator: "/")
    }
}
