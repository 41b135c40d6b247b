import NIOCore
import Synchronization

extension BroadcastHub {
    /// What the hub has done so far, and how it stands.
    ///
    /// Asks each event loop, in between what it does: nobody who broadcasts waits for this.
    public func statistics() async -> HubStatistics {
        let (shards, known) = state.withLock { state in
            var statistics = HubStatistics()
            statistics.connections = state.connections
            statistics.subscriptions = state.subscriptions
            statistics.published = state.published
            statistics.collapsed = state.collapsed
            return (Array(state.shards.values), statistics)
        }
        var statistics = known
        for shard in shards {
            let part = await shard.statistics()
            statistics.delivered += part.delivered
            statistics.superseded += part.superseded
            statistics.collapsed += part.collapsed
            statistics.closed.merge(part.closed) { $0 + $1 }
            statistics.pendingBytes += part.pendingBytes
            statistics.broadcastDuration.add(part.broadcastDuration)
        }
        return statistics
    }
}

extension HubShard {
    /// What this loop has counted.
    func statistics() async -> HubStatistics {
        let counted = eventLoop.submit { self.countedStatistics() }
        // Fails only when the loop is shut down.
        return (try? await counted.get()) ?? HubStatistics()
    }
}
