/// Why Redis could not be used. It is the cause of the ``TidingsBroadcast/BroadcastError`` that callers get.
public struct RedisError: Error, Sendable {
    /// What kind of failure it was. Later versions may add codes.
    public struct Code: RawRepresentable, Hashable, Sendable {
        /// The code's name.
        public let rawValue: String

        /// Takes any code, known or not.
        public init(rawValue: String) {
            self.rawValue = rawValue
        }

        /// The configuration cannot be used as it is.
        public static let configuration = Code(rawValue: "configuration")
        /// No connection could be made.
        public static let unreachable = Code(rawValue: "unreachable")
        /// The server does not take the user or the password.
        public static let authentication = Code(rawValue: "authentication")
        /// The user may not run a command that is needed.
        public static let forbidden = Code(rawValue: "forbidden")
        /// The server is a replica.
        public static let readOnly = Code(rawValue: "read_only")
        /// The server is starting, or busy, or cannot keep more.
        public static let unavailable = Code(rawValue: "unavailable")
        /// The server did not answer in time, or a subscription did not bring what was published.
        public static let silent = Code(rawValue: "silent")
        /// The connection was lost.
        public static let disconnected = Code(rawValue: "disconnected")
        /// The server says what is not RESP, or not an answer.
        public static let badReply = Code(rawValue: "bad_reply")
        /// The server has forgotten a script.
        public static let unknownScript = Code(rawValue: "unknown_script")
        /// More waits to be sent than may.
        public static let overloaded = Code(rawValue: "overloaded")
        /// The server refuses a command for another reason.
        public static let refused = Code(rawValue: "refused")
    }

    /// What kind of failure it was.
    public let code: Code
    /// One sentence that says what to do. It has no payload and no secret in it.
    public let message: String
    /// The failure underneath, where there is one.
    public let cause: (any Error)?

    /// Describes a failure.
    ///
    /// - Parameters:
    ///   - code: What kind of failure it was.
    ///   - message: One sentence that says what to do.
    ///   - cause: The failure underneath.
    public init(_ code: Code, _ message: String, cause: (any Error)? = nil) {
        self.code = code
        self.message = message
        self.cause = cause
    }
}

extension RedisError: CustomStringConvertible {
    /// Code, message and cause.
    public var description: String {
        "\(code.rawValue): \(message)" + (cause.map { " (\($0))" } ?? "")
    }
}

// MARK: - What a server refuses

extension RedisError {
    /// What an error reply means to whoever asked. What it says beyond its first word is left out: that may have a part of
    /// the command in it.
    init(_ reply: RESPErrorReply) {
        let (code, message) = Self.meaning(of: reply.code)
        self.init(code, message, cause: reply)
    }

    private static func meaning(of word: String) -> (Code, String) {
        switch word {
        case "NOAUTH", "WRONGPASS":
            (.authentication, "Redis does not take this user and password. Check them.")
        case "NOPERM":
            (
                .forbidden,
                "The user may not run a command that is needed. docs/guides/redis.md has the list for its ACL."
            )
        case "READONLY":
            (.readOnly, "This Redis is a replica. Name the primary, or all of them.")
        case "NOSCRIPT":
            (.unknownScript, "Redis has forgotten a script.")
        case "LOADING":
            (.unavailable, "Redis is loading its data. Try again later.")
        case "BUSY":
            (.unavailable, "Redis is busy with a script of somebody's. Try again later.")
        case "MASTERDOWN", "CLUSTERDOWN", "TRYAGAIN", "NOREPLICAS":
            (.unavailable, "Redis has lost servers that it needs. Try again later.")
        case "OOM":
            (.unavailable, "Redis has no memory left. Give it more, or keep less history.")
        case "MISCONF":
            (.unavailable, "Redis cannot save its data and takes no changes. Look at its log.")
        default:
            (.refused, "Redis has refused a command.")
        }
    }

    /// Whether the connection is of no use after this answer to a command, and another one may be.
    var endsConnection: Bool { Self.fatalCodes.contains(code) || (cause as? RESPErrorReply)?.code == "LOADING" }

    /// Whether a server that gives this answer to a command gives it to all that follow.
    var refusesRest: Bool {
        code == .authentication || code == .readOnly || (cause as? RESPErrorReply)?.code == "LOADING"
    }

    /// What becomes of a command whose connection is ended for this reason before there is an answer.
    var withoutAnswer: RedisError {
        guard code != .disconnected, code != .silent, code != .badReply else { return self }
        return RedisError(.disconnected, "The connection to Redis was given up before it answered.", cause: self)
    }

    private static let fatalCodes: Set<Code> = [.authentication, .readOnly, .badReply, .disconnected, .silent]
}
