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

    /// What is known of a request that may come again.
    func request(_ name: String) -> String { "\(prefix)request:\(name)" }

    /// The names of all that is known of requests.
    var requests: String { "\(prefix)requests" }

    /// What says that something was published past the log of a channel.
    func past(_ channel: ChannelName) -> String { "\(prefix)past:\(channel.rawValue)" }
}
