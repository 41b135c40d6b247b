public import TidingsBroadcast
public import TidingsWire

// The channels on which entities are told.

extension Entities {
    /// What the events of a hub's channels mean to a client that falls behind: on channels of entities what their
    /// ``EntityBroadcast/delivery`` says, on all others what was said before.
    ///
    /// ```swift
    /// configuration.delivery = entities.channelDelivery(otherwise: configuration.delivery)
    /// ```
    ///
    /// Where several kinds of entities are told on one channel, the first one counts that is no
    /// ``TidingsBroadcast/ChannelDelivery/signal``.
    ///
    /// - Parameter delivery: Says it of all other channels.
    public func channelDelivery(
        otherwise delivery: @escaping @Sendable (ChannelName) -> ChannelDelivery = { _ in .signal }
    ) -> @Sendable (ChannelName) -> ChannelDelivery {
        { [deliveries] in deliveries[Self.key(of: $0)] ?? delivery($0) }
    }

    /// Whether entities are told of on a channel.
    var tellsOn: @Sendable (ChannelName) -> Bool {
        { [deliveries] in deliveries[Self.key(of: $0)] != nil }
    }

    /// By what a channel's name is, or begins with.
    private var deliveries: [String: ChannelDelivery] {
        var deliveries: [String: ChannelDelivery] = [:]
        for schema in catalog.schemas {
            for channel in schema.telling.channels {
                let key =
                    switch channel {
                    case .all: schema.name
                    case .one: schema.name + ":"
                    case .each(let prefix, _): prefix + ":"
                    }
                let isUndecided = deliveries[key].map { $0 == .signal } ?? true
                if isUndecided { deliveries[key] = schema.telling.delivery }
            }
        }
        return deliveries
    }

    /// A channel's name, or the part up to the colon, which is included.
    private static func key(of channel: ChannelName) -> String {
        let name = channel.rawValue
        guard let colon = name.utf8.firstIndex(of: UInt8(ascii: ":")) else { return name }
        return String(name[...colon])
    }
}
