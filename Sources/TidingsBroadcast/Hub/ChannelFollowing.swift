import Synchronization
import TidingsWire

/// Which channels of a shared log a hub follows: those that somebody holds, or is about to.
final class ChannelFollowing: Sendable {
    private struct Following {
        var holders = 0
        let generation: UInt64
    }

    private struct State {
        var channels: [ChannelName: Following] = [:]
        var lastGeneration: UInt64 = 0
    }

    let backend: any SharedBroadcastBackend
    private let memory: InMemoryEventLog
    private let state = Mutex(State())

    init(_ backend: some SharedBroadcastBackend, memory: InMemoryEventLog) {
        self.backend = backend
        self.memory = memory
    }

    /// Counts a holder in. The first one makes the channel be followed.
    func retain(_ channel: ChannelName) {
        state.withLock { state in
            if state.channels[channel] == nil {
                state.lastGeneration += 1
                state.channels[channel] = Following(generation: state.lastGeneration)
                // Under the lock, so that the backend is told in the order in which it is meant.
                backend.follow(channel, generation: state.lastGeneration)
            }
            state.channels[channel]?.holders += 1
        }
    }

    /// Counts a holder out.
    ///
    /// - Returns: Whether it was the last one: the channel is not followed any more.
    func release(_ channel: ChannelName) -> Bool {
        state.withLock { state in
            guard let following = state.channels[channel] else { return false }
            guard following.holders == 1 else {
                state.channels[channel]?.holders -= 1
                return false
            }
            state.channels[channel] = nil
            memory.unfollow(channel)
            backend.unfollow(channel, generation: following.generation)
            return true
        }
    }

    /// The memory knows a channel from its head on, unless it is not followed any more, or again since.
    func began(_ followed: FollowedChannel) -> Bool {
        state.withLock { state in
            guard state.channels[followed.channel]?.generation == followed.generation else { return false }
            memory.follow(followed.channel)
            if !followed.isCertain { memory.forget(followed.channel) }
            return true
        }
    }
}

/// Keeps a channel followed for as long as it lives: for a session that waits to be counted.
final class ChannelHold: Sendable {
    private let channel: ChannelName
    private let following: ChannelFollowing

    init(_ channel: ChannelName, _ following: ChannelFollowing) {
        self.channel = channel
        self.following = following
        following.retain(channel)
    }

    deinit {
        _ = following.release(channel)
    }
}
