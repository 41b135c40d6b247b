import TidingsWire

/// The channels that somebody wants to hear: what the server was asked for, and up to where each of them is known. A
/// value: it says what to ask and what to deliver, its owner does it.
///
/// What is wanted and what was asked for are kept apart, and the server is asked for the difference. So whatever happens
/// within one turn of a loop costs a message or two, and what a server was too busy to do is asked for again.
struct ChannelSubscriptions {
    private struct Entry {
        /// Channels are asked for in the order in which they were wanted.
        let order: Int
        var isWanted = true
        /// Whether the server of this connection was asked for it, and so may tell of it.
        var isRequested = false
        /// Whether the server may not have done what it was asked for.
        var mustRepeat = false
        /// The request to be answered; of several the last one counts.
        var request: RequestIdentifier?
        /// Up to where the channel is known.
        var position: EventPosition?
        /// Asked for with a position and not answered: what comes now was on its way before.
        var isResuming = false
        /// Whether the server of this connection has said that it tells of it.
        var isAnswered = false
        /// Whether a connection has heard it: something may have been missed since.
        var wasHeard = false
        /// Whether the server refused it. Another token may change that.
        var isRefused = false
        /// What was told last, if the channel is a feed's: only the newest counts, and who comes later has to have it too.
        var newest: BroadcastEvent?
    }

    /// What a request asked for, to be asked for again if the server did not do it.
    private struct Request {
        var subscribe: [ChannelName]
        var unsubscribe: [ChannelName]
    }

    /// What those who hear a channel are told.
    enum News: Equatable {
        /// The server tells of the channel from here on.
        case subscribed(ChannelName, at: EventPosition?, isRecovered: Bool)
        /// The server does not.
        case refused(ChannelName, WireError)
        /// Something happened.
        case event(BroadcastEvent)
    }

    /// What a server that gives no answers was asked for: its pong says that it has done so.
    private struct Unconfirmed {
        let ping: Int
        /// Those that are stale when it has.
        var stale: Set<ChannelName>
        var channels: [ChannelName]
        /// Whether its pong was not waited for any longer: what happened until it comes may be missed.
        var isLate = false
    }

    private var entries: [ChannelName: Entry] = [:]
    /// Not answered yet. As many as fit into the time that an answer takes.
    private var unanswered: [RequestIdentifier: Request] = [:]
    /// Whether a server that gives no answers may have ignored that a channel is not wanted any more.
    private var mayHaveKeptChannels = false
    /// Whether the server answers with positions; nil while there is none to be asked.
    private var keepsEvents: Bool?
    private var unconfirmed: [Unconfirmed] = []
    private var lastPing = 0
    private var lastOrder = 0
    private var lastIdentifier = 0
}

// MARK: - What is wanted

extension ChannelSubscriptions {
    /// The channels that are wanted, in the order in which they were.
    var channels: [ChannelName] { inOrder(\.isWanted) }

    /// Up to where the channels are known.
    var positions: [ChannelName: EventPosition] { entries.compactMapValues(\.position) }

    /// The first user of a channel has come.
    ///
    /// - Parameter since: Up to where it knows the channel.
    /// - Returns: What to tell it at once: the server was not told yet that the channel's last user had gone, and is not
    ///   asked again.
    mutating func want(_ channel: ChannelName, since: EventPosition?) -> [News] {
        guard entries[channel] != nil else {
            lastOrder += 1
            entries[channel] = Entry(order: lastOrder, position: since)
            return []
        }
        entries[channel]?.isWanted = true
        return join(channel, since: since)
    }

    /// Somebody more wants a channel that the server was asked for.
    ///
    /// - Parameter since: Up to where it knows the channel. What happened between that and where the channel stands is not
    ///   known.
    func join(_ channel: ChannelName, since: EventPosition?) -> [News] {
        guard let entry = entries[channel] else { return [] }
        let isKnown = since != nil && since == entry.position
        let answer = News.subscribed(channel, at: entry.position, isRecovered: isKnown)
        let stale = since != nil && !isKnown ? [News.event(.stale(channel, reason: .gap))] : []
        let newest = isKnown ? [] : (entry.newest.map { [News.event($0)] } ?? [])
        return (entry.isAnswered ? [answer] : []) + stale + newest
    }

    /// The last user of a channel has gone.
    mutating func release(_ channel: ChannelName) {
        if entries[channel]?.isRequested == true {
            entries[channel]?.isWanted = false
        } else {
            entries[channel] = nil
        }
    }
}

// MARK: - The connection

extension ChannelSubscriptions {
    /// There is a server to be asked.
    ///
    /// - Parameter keepsEvents: Whether it answers with positions, and can say what was missed.
    mutating func connected(keepsEvents: Bool) {
        self.keepsEvents = keepsEvents
    }

    /// The server is gone, and with it what it was asked for.
    mutating func disconnected() {
        keepsEvents = nil
        mayHaveKeptChannels = false
        unanswered = [:]
        unconfirmed = []
        entries = entries.filter(\.value.isWanted)
        for channel in Array(entries.keys) {
            entries[channel]?.isRequested = false
            entries[channel]?.mustRepeat = false
            entries[channel]?.request = nil
            entries[channel]?.isResuming = false
            entries[channel]?.isRefused = false
            entries[channel]?.isAnswered = false
        }
    }

    /// What to ask the server for, in as few messages as its limits allow. Nothing while there is none.
    ///
    /// One that gives no answers is also asked for a pong, in the last message. It keeps no events, so it cannot say what
    /// was missed: ``confirmed(by:)`` does.
    mutating func takeRequests() -> [ClientMessage] {
        guard let keepsEvents else { return [] }
        var packer = RequestPacker()
        for channel in inOrder({ !$0.isWanted }) {
            packer.unsubscribe(channel)
            entries[channel] = nil
            // An earlier pong is not about what the channel may be asked for from here on.
            for index in unconfirmed.indices { unconfirmed[index].channels.removeAll { $0 == channel } }
        }
        let missing = inOrder { $0.isWanted && (!$0.isRequested || $0.mustRepeat) }
        let stale = keepsEvents ? [] : missing.filter { forgetPosition(of: $0) }
        for channel in missing { packer.subscribe(channel, since: entries[channel]?.position) }
        var messages = packer.messages.map { identified($0, isAnswered: keepsEvents) }
        if !keepsEvents, !missing.isEmpty {
            lastPing += 1
            unconfirmed.append(Unconfirmed(ping: lastPing, stale: Set(stale), channels: missing))
            messages[messages.count - 1].ping = lastPing
        }
        return messages
    }

    private func inOrder(_ condition: (Entry) -> Bool) -> [ChannelName] {
        entries.filter { condition($0.value) }.sorted { $0.value.order < $1.value.order }.map(\.key)
    }

    /// Whether something of the channel was known: without a position nobody can tell what has happened since. It counts
    /// as heard from here on, as no answer will come.
    private mutating func forgetPosition(of channel: ChannelName) -> Bool {
        let wasKnown = entries[channel]?.wasHeard == true || entries[channel]?.position != nil
        entries[channel]?.position = nil
        entries[channel]?.wasHeard = true
        return wasKnown
    }

    private mutating func identified(_ message: ClientMessage, isAnswered: Bool) -> ClientMessage {
        let identifier = nextIdentifier()
        for channel in message.subscribe {
            entries[channel]?.isRequested = true
            entries[channel]?.mustRepeat = false
            entries[channel]?.request = identifier
            entries[channel]?.isResuming = message.since[channel] != nil
        }
        if isAnswered {
            unanswered[identifier] = Request(subscribe: message.subscribe, unsubscribe: message.unsubscribe)
        }
        var message = message
        message.id = identifier
        return message
    }

    mutating func nextIdentifier() -> RequestIdentifier {
        lastIdentifier += 1
        return RequestIdentifier(lastIdentifier)
    }
}

// MARK: - What the server says

extension ChannelSubscriptions {
    /// An event that the client has seen is nothing new: one may come twice when a server begins anew from a position.
    /// `stale` is about what the client has, wherever it stands.
    ///
    /// - Returns: Whether to deliver it.
    mutating func received(_ event: BroadcastEvent) -> Bool {
        guard let entry = entries[event.channel] else {
            if mayHaveKeptChannels { giveUp(event.channel) }
            return false
        }
        guard let position = event.position else {
            keep(event)
            return entry.isWanted
        }
        // On its way before the request: what follows the answer begins at the position that was asked from.
        guard !entry.isResuming else { return event.isStale && entry.isWanted }
        if let known = entry.position, known.epoch == position.epoch, known.offset >= position.offset {
            return event.isStale && entry.isWanted
        }
        entries[event.channel]?.position = position
        keep(event)
        return entry.isWanted
    }

    private mutating func keep(_ event: BroadcastEvent) {
        guard !event.isStale, FeedName(channel: event.channel) != nil else { return }
        entries[event.channel]?.newest = event
    }

    /// The server tells of a channel that nobody wants: it is asked to stop with the next requests.
    private mutating func giveUp(_ channel: ChannelName) {
        lastOrder += 1
        entries[channel] = Entry(order: lastOrder, isWanted: false, isRequested: true)
    }

    /// Whether an event may have been the reason for a request.
    var mayHaveRequests: Bool { mayHaveKeptChannels }

    /// The server has begun to tell of channels, and has or has not told what was missed.
    ///
    /// - Returns: What to tell those who hear them, in this order.
    mutating func answered(_ reply: ServerReply) -> [News] {
        if let id = reply.id { unanswered[id] = nil }
        let refusals = reply.refused.flatMap { refused($0) }
        return refusals + reply.subscribed.flatMap { subscribed($0, by: reply.id) }
            + (reply.pong.map { confirmed(by: $0) } ?? [])
    }

    /// A server that gives no answers has done what it was asked for until a ping.
    mutating func confirmed(by ping: Int) -> [News] {
        let confirmed = unconfirmed.filter { $0.ping <= ping }
        unconfirmed.removeAll { $0.ping <= ping }
        return news(of: confirmed)
    }

    /// A server that should have answered a ping has not. It may be one that does not know pings, so its channels are taken
    /// for heard; if it is slow instead, they are stale when the pong comes after all.
    mutating func stopWaiting(for ping: Int) -> [News] {
        let late = unconfirmed.filter { $0.ping <= ping && !$0.isLate }
        for index in unconfirmed.indices where unconfirmed[index].ping <= ping {
            unconfirmed[index].isLate = true
            unconfirmed[index].stale.formUnion(unconfirmed[index].channels)
        }
        return news(of: late)
    }

    private mutating func news(of confirmed: [Unconfirmed]) -> [News] {
        confirmed.flatMap { request in
            request.channels.filter { entries[$0]?.isWanted == true && entries[$0]?.isRefused == false }
                .flatMap { channel -> [News] in
                    entries[channel]?.isAnswered = true
                    let stale = request.stale.contains(channel) ? BroadcastEvent.stale(channel, reason: .gap) : nil
                    return [.subscribed(channel, at: nil, isRecovered: false)] + (stale.map { [.event($0)] } ?? [])
                }
        }
    }

    private mutating func subscribed(_ subscribed: SubscribedChannel, by request: RequestIdentifier?) -> [News] {
        let channel = subscribed.channel
        guard var entry = entries[channel], entry.request == request else { return [] }
        let mayHaveMissed = entry.isResuming || entry.wasHeard
        entry.isResuming = false
        entry.wasHeard = true
        entry.isAnswered = true
        // What was missed follows and moves the position; without it, the position is where the server begins.
        if !subscribed.recovered { entry.position = subscribed.position }
        entries[channel] = entry
        guard entry.isWanted else { return [] }
        let news = News.subscribed(channel, at: subscribed.position, isRecovered: subscribed.recovered)
        guard mayHaveMissed, !subscribed.recovered else { return [news] }
        var stale = BroadcastEvent.stale(channel, reason: .gap)
        stale.position = subscribed.position
        stale.spread = subscribed.spread
        return [news, .event(stale)]
    }

    /// The server did not do something, or nothing of a request.
    ///
    /// - Returns: What to tell those who hear the channel that it is about.
    mutating func refused(_ error: WireError, _ id: RequestIdentifier? = nil) -> [News] {
        if let id { unanswered[id] = nil }
        guard let channel = error.channel.flatMap({ try? ChannelName($0) }), let entry = entries[channel] else {
            return []
        }
        entries[channel]?.isResuming = false
        entries[channel]?.isAnswered = false
        entries[channel]?.isRefused = true
        return entry.isWanted ? [.refused(channel, error)] : []
    }

    /// The server was too busy for a request. What it asked for is asked for again with the next requests; without its
    /// identifier nobody knows which one it was, and everything is.
    mutating func mustRepeat(_ id: RequestIdentifier?) {
        if let id {
            unanswered.removeValue(forKey: id).map { mustRepeat($0, id) }
        } else {
            for channel in Array(entries.keys) { entries[channel]?.mustRepeat = true }
            for request in unanswered.values {
                for channel in request.unsubscribe where entries[channel] == nil { giveUp(channel) }
            }
            unanswered = [:]
            unconfirmed = []
            mayHaveKeptChannels = keepsEvents == false
        }
    }

    private mutating func mustRepeat(_ request: Request, _ id: RequestIdentifier) {
        for channel in request.subscribe where entries[channel]?.request == id {
            entries[channel]?.isRequested = false
            entries[channel]?.isResuming = false
            if entries[channel]?.isWanted == false { entries[channel] = nil }
        }
        for channel in request.unsubscribe where entries[channel] == nil { giveUp(channel) }
    }

    /// The client has a new token: what was refused is asked for again with the next requests.
    mutating func mayRetryRefused() {
        for channel in entries.filter(\.value.isRefused).keys {
            entries[channel]?.isRefused = false
            entries[channel]?.mustRepeat = true
        }
    }
}

/// Puts channels into messages that a server accepts.
private struct RequestPacker {
    private(set) var messages: [ClientMessage] = []
    private var bytes = 0
    private var count = 0

    mutating func unsubscribe(_ channel: ChannelName) {
        makeRoom(for: channel)
        messages[messages.count - 1].unsubscribe.append(channel)
    }

    /// A message subscribes before it unsubscribes, so a channel must not be in both lists of one. It is not: a channel
    /// that is wanted is not superfluous.
    mutating func subscribe(_ channel: ChannelName, since position: EventPosition?) {
        makeRoom(for: channel)
        messages[messages.count - 1].subscribe.append(channel)
        if let position { messages[messages.count - 1].since[channel] = position }
    }

    private mutating func makeRoom(for channel: ChannelName) {
        // Every byte of a name could need an escape of six, and with a position the name is said twice.
        let size = channel.rawValue.utf8.count * 12 + 128
        if messages.isEmpty || bytes + size > WireLimits.clientMessageBytes - 256
            || count == WireLimits.channelsPerConnection
        {
            messages.append(ClientMessage())
            (bytes, count) = (0, 0)
        }
        bytes += size
        count += 1
    }
}
