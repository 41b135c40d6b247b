import TidingsWire

/// Checks tokens and asks the policy: everything about a client's message that may have to be waited for.
struct Gatekeeper: Sendable {
    let authenticator: (any Authenticator)?
    let policy: ChannelPolicy

    var isAuthenticationRequired: Bool { authenticator != nil }

    /// What a client wants, and who it is so far.
    struct Question: Sendable {
        /// Who it is from here on.
        var token: String?
        var identity: Identity?
        /// The channels that it holds.
        var held: [ChannelName] = []
        var subscribe: [ChannelName] = []
        var publish: ChannelName?
    }

    struct Verdict: Sendable {
        /// Who the client is from here on; nil if it sent no token.
        var identity: Identity?
        /// The channels to subscribe that are allowed.
        var subscribe: Set<ChannelName> = []
        var mayPublish = false
        /// The channels that it holds and that its fresh token does not allow any more.
        var lost: [ChannelName] = []
    }

    /// The verdict, if it can be had without waiting.
    func immediateVerdict(on question: Question) -> Verdict? {
        guard question.token == nil || authenticator == nil else { return nil }
        return policy.immediateAnswer(to: request(question, identity: question.identity)).map(Self.verdict)
    }

    /// The verdict.
    ///
    /// - Throws: ``AuthenticationError`` if the token is refused: then nothing of the message is done.
    func verdict(on question: Question) async throws(AuthenticationError) -> Verdict {
        guard let token = question.token, let authenticator else {
            return Self.verdict(await policy.answer(to: request(question, identity: question.identity)))
        }
        let identity = try await authenticator.identity(of: token)
        guard identity.subject == question.identity?.subject ?? identity.subject else {
            throw AuthenticationError(.invalid, "A connection keeps its subject. Connect anew with this token.")
        }
        var verdict = Self.verdict(await policy.answer(to: request(question, identity: identity)))
        verdict.identity = identity
        if !question.held.isEmpty {
            let stillAllowed = await policy.answer(
                to: .init(identity: identity, isAuthenticationRequired: true, subscribe: question.held)
            )
            verdict.lost = question.held.filter { !stillAllowed.subscribe.contains($0) }
        }
        return verdict
    }

    private func request(_ question: Question, identity: Identity?) -> ChannelPolicy.Request {
        ChannelPolicy.Request(
            identity: identity,
            isAuthenticationRequired: isAuthenticationRequired,
            subscribe: question.subscribe,
            publish: question.publish
        )
    }

    private static func verdict(_ answer: ChannelPolicy.Answer) -> Verdict {
        Verdict(subscribe: answer.subscribe, mayPublish: answer.mayPublish)
    }
}
