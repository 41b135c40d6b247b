import Synchronization
import TidingsWire

extension BroadcastHub {
    /// The newest event of a channel of which only the newest counts; nil if there was none, or it is forgotten.
    func snapshot(of channel: ChannelName) -> PublishedEvent? {
        state.withLock { $0.snapshots[channel] }
    }
}

extension BroadcastHub.Configuration {
    /// Of a feed only the newest value counts, whatever the application says of its own channels.
    func withFeeds() -> BroadcastHub.Configuration {
        var configuration = self
        configuration.delivery = { [delivery] channel in
            FeedName(channel: channel) == nil ? delivery(channel) : .snapshot
        }
        return configuration
    }
}
