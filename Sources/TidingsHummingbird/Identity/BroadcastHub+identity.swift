import Hummingbird
import TidingsBroadcast

extension BroadcastHub {
    /// Who makes a request; nil if this server asks nobody.
    ///
    /// - Parameter token: What the request has of one; nil if it has none.
    /// - Throws: ``Problem`` if there is none, or it is refused.
    func identity(bearing token: String?) async throws -> Identity? {
        guard asksWhoClientsAre else { return nil }
        guard let token else {
            throw Problem(unauthenticated: "Send a token: Authorization: Bearer <token>.", challenge: "Bearer")
        }
        switch await credentials(of: token) {
        case .success(let identity): return identity
        case .failure(let error) where error.code == .unavailable: throw Problem(unavailable: error)
        case .failure(let error):
            throw Problem(unauthenticated: error.message, challenge: #"Bearer error="invalid_token""#)
        case nil: return nil
        }
    }
}

extension Problem {
    /// A client that has to say who it is.
    init(unauthenticated detail: String, challenge: String) {
        self.init(.unauthorized, code: "unauthenticated", detail: detail, headers: [.wwwAuthenticate: challenge])
    }
}
