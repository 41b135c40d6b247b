import Synchronization
import TidingsWire

/// The feeds of a hub: how their frames look, that somebody may listen to them from now on, and that listeners may have
/// missed a value.
package final class FeedTable: Sendable {
    private struct Entry {
        let frame: FeedFrame
        var hasRun = false
    }

    private struct State {
        var entries: [ChannelName: Entry] = [:]
        /// In the order in which they were declared.
        var names: [FeedName] = []
        /// Declared feeds whose listeners may have missed a value, and are to be told it again.
        var lost: Set<ChannelName> = []
    }

    private let state = Mutex(State())
    private let listeners = AsyncCondition()
    private let losses = AsyncCondition()

    /// The feeds that are declared, in the order in which that was done.
    package var names: [FeedName] { state.withLock(\.names) }

    /// Adds a feed; false if there is one of this name.
    func declare(_ name: FeedName, frame: FeedFrame) -> Bool {
        state.withLock { state in
            guard state.entries[name.channel] == nil else { return false }
            state.entries[name.channel] = Entry(frame: frame)
            state.names.append(name)
            return true
        }
    }

    /// A feed runs.
    func started(_ name: FeedName) {
        state.withLock { $0.entries[name.channel]?.hasRun = true }
    }

    func contains(_ channel: ChannelName) -> Bool {
        state.withLock { $0.entries[channel] != nil }
    }

    /// How a channel's events stand in the feed dialect.
    func frame(of channel: ChannelName) -> FeedFrame {
        state.withLock { $0.entries[channel]?.frame } ?? .data
    }

    /// Whether every feed runs that is declared.
    ///
    /// - Throws: ``FeedError`` that names those that nobody ever ran.
    package func check() throws(FeedError) {
        let idle = state.withLock { state in
            state.names.filter { state.entries[$0.channel]?.hasRun == false }.map(\.rawValue)
        }
        guard !idle.isEmpty else { return }
        throw FeedError(
            .notRunning,
            "Nothing runs \(idle.joined(separator: ", ")): name the FeedRegistry in the endpoints or the services."
        )
    }

    // MARK: Losses

    /// Those who listen to a feed may have missed a value. Wakes nobody: it may be said under a lock.
    func lost(_ channel: ChannelName) {
        state.withLock { state in
            if state.entries[channel] != nil { state.lost.insert(channel) }
        }
    }

    /// There may be something that was lost.
    func lookAtLosses() {
        if state.withLock({ !$0.lost.isEmpty }) { losses.changed() }
    }

    /// Waits until listeners of feeds may have missed a value.
    ///
    /// - Returns: The channels of these feeds, each once to whoever asks first. None if the task was cancelled.
    func nextLosses() async -> Set<ChannelName> {
        await losses.wait { self.state.withLock { !$0.lost.isEmpty } }
        guard !Task.isCancelled else { return [] }
        return state.withLock { state in
            defer { state.lost = [] }
            return state.lost
        }
    }

    // MARK: Listeners

    /// Somebody subscribed to channels.
    func subscribed(to channels: [ChannelName]) {
        if channels.contains(where: { FeedName(channel: $0) != nil }) { listeners.changed() }
    }

    /// Waits until something is so that a subscription can make so, or the task is cancelled.
    func waitForListeners(until isTrue: @Sendable () -> Bool) async {
        await listeners.wait(until: isTrue)
    }
}
