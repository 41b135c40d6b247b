import NIOCore
import TidingsWire

// Who the client is, and what has to be waited for.
extension WebSocketSession {
    /// Has a message decided on. Until that is done, what the client asks for waits.
    ///
    /// The task is the session's: it is cancelled when the session ends.
    func consult(_ question: Gatekeeper.Question, about message: ClientMessage) {
        guard let context else { return }
        let gatekeeper = shard.hub.gatekeeper
        let session = NIOLoopBound(self, eventLoop: context.eventLoop)
        let eventLoop = context.eventLoop
        let task = Task {
            let result: Result<Gatekeeper.Verdict, AuthenticationError>
            do throws(AuthenticationError) {
                result = .success(try await gatekeeper.verdict(on: question))
            } catch {
                result = .failure(error)
            }
            eventLoop.execute { session.value.consulted(about: message, result) }
        }
        consultation = Consultation(task: task, maximumBytes: shard.hub.configuration.clientMessageBytes)
    }

    private func consulted(about message: ClientMessage, _ result: Result<Gatekeeper.Verdict, AuthenticationError>) {
        goOn {
            switch result {
            case .success(let verdict): lookUp(message, verdict)
            case .failure(let error): send(.error(WireError(.unauthenticated, error.message), id: message.id))
            }
        }
    }

    /// Does what had to be waited for, and then what was asked for meanwhile.
    func goOn(_ act: () -> Void) {
        guard state.phase == .open, let consultation else { return }
        endConsultation()
        act()
        catchUp(on: consultation.held)
        context?.flush()
        resumeReading()
    }

    /// Goes through what came meanwhile. A message that has to be decided on holds those behind it again.
    private func catchUp(on messages: [WebSocketMessage]) {
        for message in messages where state.phase == .open {
            if let consultation, consultation.hold(message) { continue }
            do throws(WebSocketViolation) {
                act(on: state.receive(try shard.restore(message)))
            } catch {
                act(on: state.receive(error))
            }
        }
    }

    func endConsultation() {
        consultation?.end()
        consultation = nil
    }

    /// Takes on who the client says it is, and the channels away that it may not hear any more.
    ///
    /// - Returns: Whether the session goes on.
    func identify(as identity: Identity?, losing lost: [ChannelName], _ reply: inout ServerReply) -> Bool {
        reply.authenticated = identity?.authenticated ?? Authenticated()
        // A server that asks nobody takes every token for good.
        guard let identity else { return true }
        let isNew = authentication.identity == nil
        authentication = .identified(identity)
        if isNew, let refusal = shard.hub.sessionIdentified(as: identity.subject) {
            close(refusal.code, reason: refusal.reason)
            return false
        }
        for channel in lost {
            unsubscribe(from: channel)
            reply.refused.append(forbidden("The token does not allow this channel any more.", channel))
        }
        return true
    }

    func isOpen(for subject: String) -> Bool {
        state.phase == .open && authentication.identity?.subject == subject
    }

    /// Ends a session whose client did not say in time who it is, or did not say it again.
    func endForIdentity(_ due: SessionAuthentication.Due) {
        switch due {
        case .nothing: break
        case .missing: close(.notAuthenticated, reason: "no token came in time")
        case .expired: close(.tokenExpired, reason: "the token has expired")
        }
    }
}
