public import NIOCore
import Synchronization
import TidingsWire

extension BroadcastHub {
    /// Makes the handler that tells a client of feeds, in their own dialect, over a WebSocket whose opening handshake is
    /// done. The last value of each goes out at once.
    ///
    /// - Parameters:
    ///   - eventLoop: The channel's event loop. Call this on it.
    ///   - names: The feeds that the client names; empty: every feed that is declared by now. One that there is not gets
    ///     its error.
    ///   - credentials: As for ``makeSessionHandler(on:speaking:credentials:isCompressed:writesDirectly:)``. A client that
    ///     has to say who it is first hears feeds from then on.
    ///   - isCompressed: Whether permessage-deflate was agreed on.
    ///   - writesDirectly: Whether bytes may go straight to the channel's socket.
    public func makeFeedSessionHandler(
        on eventLoop: any EventLoop,
        hearing names: [String] = [],
        credentials: Result<Identity, AuthenticationError>? = nil,
        isCompressed: Bool = false,
        writesDirectly: Bool
    ) -> any ChannelHandler {
        let shard = shard(on: eventLoop)
        return WebSocketSession(
            shard: shard,
            writesDirectly: writesDirectly,
            language: .dialect(.feed),
            authentication: authentication(credentials, at: shard.tick),
            isCompressed: isCompressed,
            opening: feeds.opening(hearing: names)
        )
    }

    /// The newest event of a channel of which only the newest counts; nil if there was none, or it is forgotten.
    func snapshot(of channel: ChannelName) -> PublishedEvent? {
        state.withLock { $0.snapshots[channel] }
    }
}

extension FeedTable {
    fileprivate func opening(hearing names: [String]) -> OpeningRequest {
        guard !names.isEmpty else { return OpeningRequest(subscribe: self.names.map(\.channel), isExplicit: false) }
        var (channels, refused): ([ChannelName], [WireError]) = ([], [])
        for name in names {
            if let feed = try? FeedName(name), contains(feed.channel) {
                channels.append(feed.channel)
            } else {
                let channel = name.utf8.count <= WireLimits.channelNameBytes ? name : nil
                refused.append(WireError(.badChannel, "There is no feed of this name.", channel: channel))
            }
        }
        return OpeningRequest(subscribe: channels, refused: refused, isExplicit: true)
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
