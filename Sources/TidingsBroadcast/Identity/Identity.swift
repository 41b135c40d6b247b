public import FoundationEssentials
import TidingsWire

/// Who is on the other side of a session, and what the token that says so allows.
public struct Identity: Hashable, Sendable {
    /// Whom the token names: a user, a device, another server.
    public var subject: String
    /// When the token expires; nil if it does not. A session lives on for ``BroadcastHub/Configuration/expiryGrace``
    /// after it.
    public var expiresAt: Date?
    /// The channels that the token allows to hear; nil if it says nothing about channels.
    public var channels: [ChannelPattern]?
    /// The channels that the token allows to publish on.
    public var publishChannels: [ChannelPattern]
    /// What else of the token the application wants to know, such as a role. Empty unless the authenticator was asked for
    /// it.
    public var attributes: [String: String]

    /// Describes who it is.
    ///
    /// - Parameters:
    ///   - subject: Whom the token names.
    ///   - expiresAt: When the token expires; nil if it does not.
    ///   - channels: The channels that it allows to hear; nil if it says nothing about channels.
    ///   - publishChannels: The channels that it allows to publish on.
    ///   - attributes: What else the application wants to know.
    public init(
        subject: String,
        expiresAt: Date? = nil,
        channels: [ChannelPattern]? = nil,
        publishChannels: [ChannelPattern] = [],
        attributes: [String: String] = [:]
    ) {
        self.subject = subject
        self.expiresAt = expiresAt
        self.channels = channels
        self.publishChannels = publishChannels
        self.attributes = attributes
    }
}

extension Identity {
    var authenticated: Authenticated { Authenticated(subject: subject, expiresAt: expiresAt) }
}
