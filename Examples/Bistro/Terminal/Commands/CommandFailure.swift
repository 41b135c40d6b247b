import BistroAPI
import TidingsSync

/// Why a command ends without having done what it was to do: one sentence.
struct CommandFailure: Error, Equatable, CustomStringConvertible {
    let description: String

    init(_ sentence: String) {
        description = sentence
    }
}

/// What went wrong, for people.
enum Failure {
    static func sentence(_ error: any Error) -> String {
        switch error {
        case let error as EntityConflict<Order>: error.cause.message
        case let error as APIError: sentence(error)
        case let error as BroadcastClientError: error.message
        case let error as CommandFailure: error.description
        default: "\(error)"
        }
    }

    private static func sentence(_ error: APIError) -> String {
        let fields = error.problem?.errors ?? []
        guard !fields.isEmpty else { return error.message }
        return fields.map { "\($0.pointer.drop { $0 == "/" }) \($0.message)" }.joined(separator: ", ") + "."
    }
}
