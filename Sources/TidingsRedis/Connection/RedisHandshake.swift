/// What is said on a new connection before it is used: version, user, database, name. A value: it says what to send, and
/// is told what was answered.
struct RedisHandshake {
    enum Step: Equatable {
        case send([String])
        case done
    }

    private enum Phase {
        case hello
        case authentication
        case database
        case name
        case done
    }

    private var phase = Phase.hello
    private let user: String?
    private let password: String?
    private let database: Int
    private let name: String
    private(set) var version: Int

    init(_ configuration: RedisConfiguration) {
        user = configuration.user
        password = configuration.password
        database = configuration.database
        name = configuration.clientName
        version = configuration.protocolVersion.number
    }

    /// What to send first.
    mutating func begin() -> Step {
        guard version < 3 else {
            return .send(["HELLO", "3"] + (password.map { ["AUTH", user ?? "default", $0] } ?? []))
        }
        return authenticate()
    }

    /// What to send after an answer.
    ///
    /// - Throws: ``RedisError`` if the connection cannot be used.
    mutating func receive(_ reply: RESPValue) throws(RedisError) -> Step {
        if case .error(let refusal) = reply { return try refused(refusal) }
        switch phase {
        case .hello, .authentication: return selectDatabase()
        case .database: return setName()
        case .name, .done:
            phase = .done
            return .done
        }
    }

    private mutating func refused(_ refusal: RESPErrorReply) throws(RedisError) -> Step {
        switch phase {
        case .hello where refusal.code == "ERR" || refusal.code == "NOPROTO":
            // A server from before RESP3, or one that has no HELLO for its clients.
            version = 2
            return authenticate()
        case .name, .done:
            // A name is for people; a user may be denied to set it.
            phase = .done
            return .done
        default:
            throw RedisError(refusal)
        }
    }

    private mutating func authenticate() -> Step {
        guard let password else { return selectDatabase() }
        phase = .authentication
        return .send(["AUTH"] + (user.map { [$0] } ?? []) + [password])
    }

    private mutating func selectDatabase() -> Step {
        guard database != 0 else { return setName() }
        phase = .database
        return .send(["SELECT", "\(database)"])
    }

    private mutating func setName() -> Step {
        phase = .name
        return .send(["CLIENT", "SETNAME", name])
    }
}
