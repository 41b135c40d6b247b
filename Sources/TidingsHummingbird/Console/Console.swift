import FoundationEssentials
public import Hummingbird
import NIOCore

/// A page for operators that shows how a server fares: who is connected, which channels are held, how much happens, who
/// reads too slowly, what does not work, and what went wrong last.
///
/// ```swift
/// endpoints.console = try Console(secret: secret)
/// ```
///
/// The page asks for the secret and keeps a pass in a cookie that scripts cannot read. What it shows comes over a WebSocket of
/// the console's own, as feeds that no other client can hear. While nobody looks, nothing is asked.
public struct Console: Sendable {
    /// As long as what passes are signed with has to be (RFC 7518 §3.2).
    private static let shortestSecret = 32

    /// Where the page is. What belongs to it is below.
    public var path: RouterPath = "/console"
    /// Channels that are shown: those with the most subscribers.
    public var channels = 20
    /// Slow sessions that are shown: those for which most bytes wait.
    public var slowSessions = 20
    /// Errors that the server keeps. Those that are alike count as one.
    public var errors = 50
    /// Pages that may be connected at the same time.
    public var viewers = 32
    /// Wrong secrets that are looked at without a pause, whoever sends them; after them it is one a second, and everything
    /// else is answered with 429. A pass that was not given for the secret is a wrong secret.
    public var wrongSecrets = 20
    /// How long a page lets its visitor in again without the secret.
    public var passLifetime: Duration = .seconds(12 * 3600)
    /// What time it is for those who guess.
    var guessingTime: @Sendable () -> NIODeadline = { .now() }

    let secret: String

    /// Turns the console on.
    ///
    /// - Parameter secret: What lets operators in: at least 32 bytes that nobody guesses. Nodes of one service have the same.
    /// - Throws: ``ConsoleError`` if the secret is shorter.
    public init(secret: String) throws(ConsoleError) {
        guard secret.utf8.count >= Self.shortestSecret else {
            throw ConsoleError(.weakSecret, "The console's secret has at least \(Self.shortestSecret) bytes.")
        }
        self.secret = secret
    }
}

// What ends up in a log has no secret in it, whoever writes it there and however.
extension Console: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// Where it is, and nothing that is secret.
    public var description: String { "a console at \(path)" }

    /// The same as ``description``.
    public var debugDescription: String { description }

    /// Nothing of what is in it.
    public var customMirror: Mirror { Mirror(self, children: []) }
}

/// Why there can be no console.
public struct ConsoleError: Error, Sendable {
    /// What kind of failure it was. Later versions may add codes.
    public struct Code: RawRepresentable, Hashable, Sendable {
        /// The code's name.
        public let rawValue: String

        /// Takes any code, known or not.
        public init(rawValue: String) {
            self.rawValue = rawValue
        }

        /// The secret is too short to be one.
        public static let weakSecret = Code(rawValue: "weak_secret")
    }

    /// What kind of failure it was.
    public let code: Code
    /// One sentence that says what to do.
    public let message: String

    /// Describes a failure.
    ///
    /// - Parameters:
    ///   - code: What kind of failure it was.
    ///   - message: One sentence that says what to do.
    public init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }
}

extension ConsoleError: CustomStringConvertible {
    /// Code and message.
    public var description: String { "\(code.rawValue): \(message)" }
}
