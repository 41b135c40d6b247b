public import TidingsWire

/// Who may hear and who may publish on which channels.
///
/// Without further words a policy says what the tokens say: a channel may be heard if one of the patterns in the token's
/// `channels` names it, and published on if one in its `publish` does. Channels that are declared public may be heard by
/// everyone who may connect. On a server without an authenticator everything may be heard, and nothing published.
///
/// ```swift
/// configuration.policy = ChannelPolicy(publicChannels: ["menu", "menu:*"])
/// ```
///
/// A closure decides instead where rights are in a database:
///
/// ```swift
/// configuration.policy = ChannelPolicy { identity, channel in
///     guard let identity, channel.rawValue.hasPrefix("table:") else { return false }
///     return await seating.isServed(channel, by: identity.subject)
/// }
/// ```
public struct ChannelPolicy: Sendable {
    /// Decides about one client and one channel. The identity is nil where the server has no authenticator.
    ///
    /// What the client says meanwhile waits. The task is cancelled when the client goes.
    public typealias Decision = @Sendable (_ identity: Identity?, _ channel: ChannelName) async -> Bool

    private let publicChannels: [ChannelPattern]
    private let publishableChannels: [ChannelPattern]
    private let maySubscribe: Decision?
    private let mayPublish: Decision?
    /// Channels about which something else decides, before all others.
    private var exceptions: [(contains: @Sendable (ChannelName) -> Bool, maySubscribe: Decision)] = []

    /// Makes a policy.
    ///
    /// - Parameters:
    ///   - publicChannels: Channels that everyone who may connect may hear.
    ///   - publishableChannels: Channels that everyone who may connect may publish on. What clients publish reaches the
    ///     clients of this hub, and no handler that subscribed at a backend, unless that is a ``SharedBroadcastBackend``: then
    ///     it reaches clients and handlers on every node.
    ///   - maySubscribe: Decides who may hear a channel that is not public; nil: what the tokens say.
    ///   - mayPublish: Decides who may publish on a channel that is none of these; nil: what the tokens say.
    public init(
        publicChannels: [ChannelPattern] = [],
        publishableChannels: [ChannelPattern] = [],
        maySubscribe: Decision? = nil,
        mayPublish: Decision? = nil
    ) {
        self.publicChannels = publicChannels
        self.publishableChannels = publishableChannels
        self.mayPublish = mayPublish
        self.maySubscribe = maySubscribe
    }
}

extension ChannelPolicy {
    /// The same policy, but for some channels about which a closure decides who may hear them.
    ///
    /// - Parameters:
    ///   - contains: Whether a channel is one of these. Called on any thread; it has to be quick.
    ///   - maySubscribe: Decides about these channels, whatever the policy says. Of several decisions that were added the
    ///     first one counts.
    public func deciding(
        about contains: @escaping @Sendable (ChannelName) -> Bool,
        _ maySubscribe: @escaping Decision
    ) -> ChannelPolicy {
        var policy = self
        policy.exceptions.append((contains, maySubscribe))
        return policy
    }
}

// MARK: - Asking

extension ChannelPolicy {
    /// What somebody wants to do with channels.
    struct Request: Sendable {
        var identity: Identity?
        /// Whether a client of this server has to say who it is.
        var isAuthenticationRequired: Bool
        var subscribe: [ChannelName] = []
        var publish: ChannelName?
    }

    /// What of it may be done.
    struct Answer: Hashable, Sendable {
        var subscribe: Set<ChannelName> = []
        var mayPublish = false
    }

    /// The answer, if it can be had without waiting: nil if a closure has to be asked.
    func immediateAnswer(to request: Request) -> Answer? {
        var answer = Answer()
        for channel in request.subscribe {
            guard let isAllowed = mayBeHeard(channel, request) else { return nil }
            if isAllowed { answer.subscribe.insert(channel) }
        }
        if let channel = request.publish {
            guard let isAllowed = mayBePublishedOn(channel, request) else { return nil }
            answer.mayPublish = isAllowed
        }
        return answer
    }

    /// The answer; asks the closures one channel after the other.
    func answer(to request: Request) async -> Answer {
        var answer = Answer()
        for channel in request.subscribe where !Task.isCancelled {
            let known = mayBeHeard(channel, request)
            let decide = exception(for: channel) ?? maySubscribe
            if await Self.decision(known, decide, request.identity, channel) { answer.subscribe.insert(channel) }
        }
        if let channel = request.publish {
            let known = mayBePublishedOn(channel, request)
            answer.mayPublish = await Self.decision(known, mayPublish, request.identity, channel)
        }
        return answer
    }

    private func exception(for channel: ChannelName) -> Decision? {
        exceptions.first { $0.contains(channel) }?.maySubscribe
    }

    private static func decision(
        _ known: Bool?,
        _ decide: Decision?,
        _ identity: Identity?,
        _ channel: ChannelName
    ) async -> Bool {
        if let known { return known }
        return await decide?(identity, channel) ?? false
    }

    /// nil: the closure decides.
    private func mayBeHeard(_ channel: ChannelName, _ request: Request) -> Bool? {
        guard exception(for: channel) == nil else { return nil }
        if publicChannels.contains(where: { $0.matches(channel) }) { return true }
        guard maySubscribe == nil else { return nil }
        guard request.isAuthenticationRequired else { return true }
        return request.identity?.channels?.contains { $0.matches(channel) } ?? false
    }

    /// nil: the closure decides.
    private func mayBePublishedOn(_ channel: ChannelName, _ request: Request) -> Bool? {
        if publishableChannels.contains(where: { $0.matches(channel) }) { return true }
        guard mayPublish == nil else { return nil }
        return request.identity?.publishChannels.contains { $0.matches(channel) } ?? false
    }
}
