import TidingsWire

/// What an operation can be refused with, by status.
enum OpenAPIFailure: Int, CaseIterable, Comparable {
    case badRequest = 400
    case unauthenticated = 401
    case forbidden = 403
    case notFound = 404
    case conflict = 409
    case preconditionFailed = 412
    case contentTooLarge = 413
    case unsupportedMediaType = 415
    case invalid = 422
    case preconditionRequired = 428
    case unavailable = 503

    static func < (left: Self, right: Self) -> Bool { left.rawValue < right.rawValue }

    /// The name of the component.
    var name: String {
        switch self {
        case .badRequest: "BadRequest"
        case .unauthenticated: "Unauthorized"
        case .forbidden: "Forbidden"
        case .notFound: "NotFound"
        case .conflict: "Conflict"
        case .preconditionFailed: "PreconditionFailed"
        case .contentTooLarge: "ContentTooLarge"
        case .unsupportedMediaType: "UnsupportedMediaType"
        case .invalid: "UnprocessableContent"
        case .preconditionRequired: "PreconditionRequired"
        case .unavailable: "ServiceUnavailable"
        }
    }

    /// Whether the answer may show the entity as it is.
    var showsCurrent: Bool { self == .conflict || self == .preconditionFailed }

    private var description: String {
        switch self {
        case .badRequest:
            """
            The body is no JSON object (`malformed`), or a parameter or a header is not what it has to be \
            (`invalid_parameter`, `bad_header`).
            """
        case .unauthenticated: "It is not known who asks (`unauthenticated`)."
        case .forbidden: "The caller may not do this (`forbidden`)."
        case .notFound: "There is none, or none any more, or none that the caller may know of (`not_found`)."
        case .conflict:
            """
            The change does not fit what is there: `stale_version` with `current`, `illegal_transition` with `state` and \
            `allowed`, `duplicate`, `in_use`, or a code of the application's own.
            """
        case .preconditionFailed: "The entity is not the one that `If-Match` names (`precondition_failed`)."
        case .contentTooLarge: "The body is too large."
        case .unsupportedMediaType: "The body does not come as `application/json`."
        case .invalid:
            """
            Fields are not what they have to be (`invalid`, with `errors`), or the idempotency key came with another \
            request (`idempotency_key_reused`).
            """
        case .preconditionRequired:
            "The change has to say which version it is based on, and does not (`version_required`)."
        case .unavailable: "The database cannot be reached, or not in time. Try again later."
        }
    }

    /// - Parameter schema: The name of the schema of the body.
    func response(of schema: String) -> JSONNode {
        let response: JSONNode = [
            "description": .string(description),
            "content": ["application/problem+json": ["schema": .reference("schemas", schema)]],
        ]
        guard self == .unauthenticated else { return response }
        let header: JSONNode = ["description": "How to say it (RFC 9110 §11.6.1).", "schema": ["type": "string"]]
        return response.adding(["headers": ["WWW-Authenticate": header]])
    }
}
