import HTTPTypes
import Hummingbird
import Logging
import TidingsBroadcast
import TidingsEntities
import TidingsWire

extension Problem {
    /// Runs what may fail with errors of entities and their database, and turns those into answers.
    static func translating<Result>(_ logger: Logger, _ body: () async throws -> Result) async throws -> Result {
        do {
            return try await body()
        } catch let error as EntityError {
            throw Problem(error)
        } catch let error as StoreError {
            logger.error("the database failed", metadata: ["error": "\(error)"])
            throw Problem(error)
        }
    }

    private init(_ error: EntityError) {
        self.init(Self.status(of: error.code), code: error.code.rawValue, detail: error.message)
        if !error.faults.isEmpty {
            members.append(.init("errors", .array(error.faults.map(Self.json))))
        }
        if let current = error.current { members.append(.init("current", current)) }
        if let state = error.state {
            members.append(.init("state", .string(state)))
            members.append(.init("allowed", .array(error.allowed.map(JSONNode.string))))
        }
    }

    private static func json(_ fault: FieldFault) -> JSONNode {
        .members([
            "pointer": .string(fault.pointer), "code": .string(fault.code), "message": .string(fault.message),
        ])
    }

    /// Whatever the application refuses with a code of its own is a conflict with how things are.
    private static func status(of code: EntityError.Code) -> HTTPResponse.Status {
        switch code {
        case .notFound: .notFound
        case .forbidden: .forbidden
        case .malformed, .invalidParameter: .badRequest
        case .invalid, .idempotencyKeyReused: .unprocessableContent
        case .preconditionFailed: .preconditionFailed
        case .versionRequired: .preconditionRequired
        default: .conflict
        }
    }

    /// What the database says is for the log: clients learn whether trying again helps.
    private init(_ error: StoreError) {
        switch error.code {
        case .unavailable, .timeout, .conflict, .full, .closed:
            self.init(
                .serviceUnavailable,
                code: "database_\(error.code.rawValue)",
                detail: "The database cannot do this now. Try again in a moment.",
                headers: [.retryAfter: "1"]
            )
        case .unknownOutcome:
            self.init(
                .serviceUnavailable,
                code: "unknown_outcome",
                detail: "The change may have been made or not. Look, or send it again with the same Idempotency-Key.",
                headers: [.retryAfter: "1"]
            )
        default:
            self.init(.internalServerError, code: "internal", detail: "The server has made a mistake. It is logged.")
        }
    }

    /// A token that cannot be checked at this moment.
    init(unavailable error: AuthenticationError) {
        self.init(
            .serviceUnavailable,
            code: "authentication_unavailable",
            detail: error.message,
            headers: [.retryAfter: "5"]
        )
    }
}
