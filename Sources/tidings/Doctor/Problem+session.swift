import Foundation
import TidingsWire

extension Problem {
    /// The server wants to know who this is, or does not take the token.
    static func unidentified(_ reason: String, token: String?) -> Problem {
        guard let token else {
            return Problem(
                "token_missing",
                "the server asks who its clients are (\(reason)).",
                "Give a token with TIDINGS_TOKEN or --token; in a client, its token closure."
            )
        }
        if let end = TokenExpiry.date(of: token), end <= Date() {
            return Problem(
                "token_expired",
                "the token has expired at \(end.formatted(.iso8601)).",
                "Take a fresh one; if it is fresh, compare the clocks of both machines."
            )
        }
        return Problem(
            "token_refused",
            "the server does not take the token: \(reason)",
            "Compare who signs tokens with authentication.secret, public_key or key_set, and iss and aud with issuer and "
                + "audience."
        )
    }

    static func notSubscribed(_ error: WireError, _ channel: ChannelName) -> Problem {
        guard error.code == .forbidden else { return other(error) }
        return Problem(
            "channel_forbidden",
            "\(channel) may not be heard: \(error.message)",
            "Put a pattern that names it into the token's \"channels\", or into the server's channels.public; look for a "
                + "misspelling of the channel."
        )
    }

    static func notPublished(_ error: WireError, _ channel: ChannelName) -> Problem {
        guard error.code == .forbidden else { return other(error) }
        return Problem(
            "publish_forbidden",
            "nothing may be published on \(channel): \(error.message)",
            "Put a pattern that names it into the token's \"publish\", or into the server's channels.publishable; where "
                + "clients publish nothing, use --no-publish."
        )
    }

    static func notHeard(_ channel: ChannelName) -> Problem {
        Problem(
            "event_missing",
            "what was published on \(channel) was not heard.",
            "Look at /readyz and the server's log: what carries events between servers may be away."
        )
    }

    static func closed(_ code: CloseCode, _ reason: String) -> Problem {
        switch code {
        case .draining, .goingAway, .serviceRestart:
            Problem(
                "draining",
                "the server closed with \(code): \(reason)",
                "The server is being stopped: ask another one, or wait until it is back."
            )
        case .connectionLimit:
            Problem("too_many_connections", "\(code): \(reason)", "Set limits.connections_per_subject higher.")
        case .closedByOperator:
            Problem("kept_out", "\(code): \(reason)", "An operator keeps this subject out.")
        default:
            Problem("closed", "the server closed with \(code): \(reason)", "Look at the server's log.")
        }
    }

    static let silent = Problem(
        "no_answer",
        "the server does not answer.",
        "A proxy on the way may hold messages back, or the server speaks another protocol here."
    )

    private static func other(_ error: WireError) -> Problem {
        Problem(error.code.rawValue, error.message, "Look at the server's log.")
    }
}
