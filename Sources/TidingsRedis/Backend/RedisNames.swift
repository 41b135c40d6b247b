import NIOCore
import TidingsWire

/// What keys and channels are called.
struct RedisNames: Sendable {
    let prefix: String
    /// What this node hears alone. A channel has no white space in its name.
    let own: String

    init(prefix: String, node: String) {
        self.prefix = prefix
        own = "\(prefix) node \(node)"
    }

    /// The hash of the log.
    var log: String { "\(prefix)log" }

    /// What a channel's events are published on.
    func published(_ channel: ChannelName) -> String { prefix + channel.rawValue }

    /// The newest events of a channel.
    func stream(_ channel: ChannelName) -> String { "\(prefix)events:\(channel.rawValue)" }

    /// What says that something was published past the log of a channel.
    func past(_ channel: ChannelName) -> String { "\(prefix)past:\(channel.rawValue)" }
}
