import FoundationEssentials
import TidingsWire

/// Who the client of a session is, and until when that holds. A value: whoever holds it says what time it is, in ticks of
/// a second or so and by the calendar.
indirect enum SessionAuthentication {
    /// The server has no authenticator: nobody has to say anything.
    case notRequired
    /// The client has to send a token by this tick. → `identified`
    case awaited(until: Int64)
    /// The client has said who it is. → `identified`, with a fresh token
    case identified(Identity)
    /// The token that the client came with was refused.
    case refused(AuthenticationError)

    enum Due: Equatable {
        case nothing
        /// The client did not say who it is in time.
        case missing
        /// The token has expired, and the time to send a fresh one is over.
        case expired
    }

    /// Whether anything but a token is listened to.
    var allowsRequests: Bool {
        switch self {
        case .notRequired, .identified: true
        case .awaited, .refused: false
        }
    }

    var identity: Identity? {
        guard case .identified(let identity) = self else { return nil }
        return identity
    }

    /// What time has made of it.
    ///
    /// - Parameter grace: How long a session lives on after its token has expired.
    func due(at tick: Int64, now: Date, grace: Duration) -> Due {
        switch self {
        case .notRequired, .refused:
            return .nothing
        case .awaited(let deadline):
            return tick >= deadline ? .missing : .nothing
        case .identified(let identity):
            guard let expiry = identity.expiresAt else { return .nothing }
            return now >= expiry.addingTimeInterval(grace / .seconds(1)) ? .expired : .nothing
        }
    }
}
