import Synchronization
import TidingsWire

/// What the engine has to look at, in the order in which it came, bounded: where events come faster than they are looked
/// at, they are replaced by one for each channel that says that it is stale.
final class SyncInbox: Sendable {
    enum News: Sendable {
        /// Somebody wants to hear a channel.
        case added(ChannelUse)
        /// Somebody does not any more.
        case removed(UInt64)
        /// What is stale for somebody is fetched, or not.
        case enabled(UInt64, Bool)
        /// How a channel stands with the server.
        case update(ChannelName, BroadcastClient.SubscriptionUpdate)
        case event(BroadcastEvent)
        /// The data of an entry has come, or the entry has gone.
        case settled(QueryKey)
        /// An entry has come from storage.
        case restored(QueryKey)
        /// The data of an entry could not be had.
        case failed(QueryKey, any Error)
    }

    fileprivate struct State {
        var news: [News] = []
        var events = 0
        var lastIdentifier: UInt64 = 0
    }

    private let capacity: Int
    /// The present moment in the order of fetches.
    let epoch: @Sendable () -> QueryEpoch
    private let state = Mutex(State())
    let bell = Doorbell()

    init(capacity: Int, epoch: @escaping @Sendable () -> QueryEpoch) {
        self.capacity = max(capacity, 1)
        self.epoch = epoch
    }

    func nextIdentifier() -> UInt64 {
        state.withLock { state in
            state.lastIdentifier += 1
            return state.lastIdentifier
        }
    }

    func put(_ news: News) {
        state.withLock { state in
            switch news {
            case .event:
                if state.events >= capacity { state.collapse() }
                state.events += 1
            case .removed(let identifier):
                // Who came and went before anybody looked was never there.
                if state.forget(identifier) { return }
            case .enabled(let identifier, _):
                // Of two that follow each other at once, the last one counts.
                if case .enabled(identifier, _)? = state.news.last { state.news.removeLast() }
            default: break
            }
            state.news.append(news)
        }
        bell.ring()
    }

    func takeAll() -> [News] {
        state.withLock { state in
            defer { (state.news, state.events) = ([], 0) }
            return state.news
        }
    }
}

extension SyncInbox.State {
    /// - Returns: Whether somebody's coming was still to be looked at.
    fileprivate mutating func forget(_ identifier: UInt64) -> Bool {
        let coming = news.lastIndex {
            if case .added(let use) = $0 { use.identifier == identifier } else { false }
        }
        guard let coming else { return false }
        news.remove(at: coming)
        return true
    }

    /// Puts one event in the place of all of a channel, where the last of them was.
    fileprivate mutating func collapse() {
        var seen: Set<ChannelName> = []
        var kept: [SyncInbox.News] = []
        for item in news.reversed() {
            guard case .event(let event) = item else {
                kept.append(item)
                continue
            }
            guard seen.insert(event.channel).inserted else { continue }
            var stale = BroadcastEvent.stale(event.channel, reason: .lagged)
            stale.position = event.position
            kept.append(.event(stale))
        }
        news = kept.reversed()
        events = seen.count
    }
}
