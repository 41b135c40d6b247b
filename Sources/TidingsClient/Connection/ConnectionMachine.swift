import TidingsWire

/// Where a client stands with its server, and what follows from what happens. A value without a socket, a clock or a
/// lock: it says what to do, its owner does it, in the order given.
struct ConnectionMachine {
    private(set) var phase = Phase.idle
    /// The channels that somebody wants to hear, in the order in which they were asked for.
    private(set) var channels: [ChannelName] = []
    /// Up to where the channels are known: what a server that keeps events is asked to begin at.
    private(set) var positions: [ChannelName: EventPosition] = [:]
    private let backoff: Backoff
    /// The channels that a connection has heard since ``connect()``: of these, something may have been missed.
    private var heard: Set<ChannelName> = []
    /// The channels that were asked for with a position, and not answered.
    private var resuming: Set<ChannelName> = []
    /// The time that a draining server announced.
    private var announced: Duration?
    private var wasConnected = false
    /// Whether the server of this connection answers with positions.
    private var keepsEvents = false
    private var lastRequest = 0

    enum Phase: Equatable {
        /// Nobody asked for a connection, or somebody asked to end it. → `connecting`.
        case idle
        /// The socket is being opened, for the given time in a row. → `connected`, `waiting`, `failed`, `idle`.
        case connecting(attempt: Int)
        /// Messages go both ways. → `waiting`, `failed`, `idle`.
        case connected(attempt: Int)
        /// The next attempt comes after a while. → `connecting`, `idle`.
        case waiting(attempt: Int)
        /// The server does not want this client, or the attempts are used up. → `connecting`.
        case failed(BroadcastClientError)
    }

    enum Action: Equatable {
        /// Open a socket.
        case open
        /// Close the socket that is open or being opened.
        case close
        /// Send to the server.
        case send(ClientMessage)
        /// Call ``ConnectionMachine/waited()`` after the wait before this attempt.
        case wait(attempt: Int)
        /// Call ``ConnectionMachine/waited()`` at a random moment within this time.
        case waitWithin(Duration)
        /// The server says something at least this often.
        case expectHeartbeat(every: Duration)
        /// Do not call it after all.
        case cancelWait
        /// Give to those who hear the event's channel.
        case deliver(BroadcastEvent)
        /// The server did not accept something.
        case report(WireError)
    }

    init(backoff: Backoff) {
        self.backoff = backoff
    }

    var state: BroadcastClient.State {
        switch phase {
        case .idle: .disconnected
        case .connecting(attempt: 0) where !wasConnected: .connecting
        case .connecting, .waiting: .reconnecting
        case .connected: .connected
        case .failed(let error): .failed(error)
        }
    }
}

// MARK: - What the application asks for

extension ConnectionMachine {
    mutating func connect() -> [Action] {
        switch phase {
        case .connecting, .connected: return []
        case .waiting:
            phase = .connecting(attempt: 0)
            return [.cancelWait, .open]
        case .idle, .failed:
            wasConnected = false
            heard = []
            resuming = []
            announced = nil
            phase = .connecting(attempt: 0)
            return [.open]
        }
    }

    mutating func disconnect() -> [Action] {
        defer { phase = .idle }
        switch phase {
        case .connecting, .connected: return [.close]
        case .waiting: return [.cancelWait]
        case .idle, .failed: return []
        }
    }

    /// The first user of a channel has come.
    ///
    /// - Parameter since: Up to where it knows the channel.
    mutating func subscribe(to channel: ChannelName, since: EventPosition? = nil) -> [Action] {
        channels.append(channel)
        positions[channel] = since
        guard case .connected = phase else { return [] }
        // A server that keeps no events does not answer: the channel counts as heard from here on.
        if !keepsEvents { heard.insert(channel) }
        return requests(for: [channel])
    }

    /// The last user of a channel has gone.
    mutating func unsubscribe(from channel: ChannelName) -> [Action] {
        channels.removeAll { $0 == channel }
        positions[channel] = nil
        heard.remove(channel)
        resuming.remove(channel)
        guard case .connected = phase else { return [] }
        return [.send(ClientMessage(id: nextIdentifier(), unsubscribe: [channel]))]
    }
}

// MARK: - What happens

extension ConnectionMachine {
    /// The opening handshake is done. Everything that is wanted is asked for. A server that keeps no events is not asked
    /// what was missed: each channel that was heard before is stale.
    ///
    /// - Parameter keepsEvents: Whether the server answers with positions.
    mutating func opened(keepsEvents: Bool) -> [Action] {
        guard case .connecting(let attempt) = phase else { return [.close] }
        phase = .connected(attempt: attempt)
        wasConnected = true
        announced = nil
        resuming = []
        self.keepsEvents = keepsEvents
        guard !keepsEvents else { return requests(for: channels) }
        positions = [:]
        let stale = channels.filter { !heard.insert($0).inserted }
        return requests(for: channels) + stale.map { .deliver(.stale($0, reason: .gap)) }
    }

    mutating func received(_ message: ServerMessage) -> [Action] {
        switch message {
        case .event(let event):
            return received(event)
        case .reply(let reply):
            return reply.subscribed.flatMap { subscribed($0) } + reply.refused.map { refused($0) }
        case .error(let error, _):
            return [refused(error)]
        case .welcome(let welcome):
            return [.expectHeartbeat(every: welcome.heartbeat)]
        case .draining(let time):
            announced = time
            return []
        }
    }

    /// An event that the client has seen is dropped: one may come twice when a server begins anew from a position.
    private mutating func received(_ event: BroadcastEvent) -> [Action] {
        guard channels.contains(event.channel) else { return [] }
        guard let position = event.position else { return [.deliver(event)] }
        // On its way before the request: what follows the answer begins at the position that was asked from.
        guard !resuming.contains(event.channel) else { return [] }
        if let known = positions[event.channel], known.epoch == position.epoch, known.offset >= position.offset {
            return []
        }
        positions[event.channel] = position
        return [.deliver(event)]
    }

    /// The server has begun to tell of a channel, and has or has not told what was missed.
    private mutating func subscribed(_ subscribed: SubscribedChannel) -> [Action] {
        let channel = subscribed.channel
        guard channels.contains(channel) else { return [] }
        let wasResuming = resuming.remove(channel) != nil
        let wasHeard = !heard.insert(channel).inserted
        // What was missed follows and moves the position; without it, the position is where the server begins.
        if subscribed.recovered { return [] }
        positions[channel] = subscribed.position
        guard wasResuming || wasHeard else { return [] }
        var stale = BroadcastEvent.stale(channel, reason: .gap)
        stale.position = subscribed.position
        stale.spread = subscribed.spread
        return [.deliver(stale)]
    }

    private mutating func refused(_ error: WireError) -> Action {
        if let channel = error.channel.flatMap({ try? ChannelName($0) }) { resuming.remove(channel) }
        return .report(error)
    }

    /// The connection ended, or was not made.
    ///
    /// - Parameters:
    ///   - end: How.
    ///   - wasStable: Whether it had lasted long enough for the next attempts to count from the beginning.
    mutating func ended(_ end: ConnectionEnd, wasStable: Bool) -> [Action] {
        let attempt: Int
        switch phase {
        case .idle, .failed, .waiting: return []
        case .connecting(let previous): attempt = previous + 1
        case .connected(let previous): attempt = wasStable ? 1 : previous + 1
        }
        switch end.advice {
        case .reconnect, .reconnectAnnounced:
            guard let time = announced else { return wait(beforeAttempt: attempt, after: end) }
            announced = nil
            phase = .waiting(attempt: attempt)
            return [.waitWithin(time)]
        case .reconnectResuming, .refreshToken:
            return wait(beforeAttempt: attempt, after: end)
        case .reconnectLongest:
            return wait(beforeAttempt: max(attempt, Self.attemptOfLongestWait), after: end)
        case .stayAway, .awaitToken, .report:
            phase = .failed(end.error)
            return []
        }
    }

    /// The wait is over.
    mutating func waited() -> [Action] {
        guard case .waiting(let attempt) = phase else { return [] }
        phase = .connecting(attempt: attempt)
        return [.open]
    }

    private mutating func wait(beforeAttempt attempt: Int, after end: ConnectionEnd) -> [Action] {
        if let most = backoff.attempts, attempt > most {
            phase = .failed(
                BroadcastClientError(
                    .attemptsExhausted,
                    "Gave up after \(most) attempts: \(end.error.message)",
                    cause: end.error
                )
            )
            return []
        }
        phase = .waiting(attempt: attempt)
        return [.wait(attempt: attempt)]
    }

    /// Doubling anything above a nanosecond this often is longer than any maximum.
    private static var attemptOfLongestWait: Int { 30 }

    private mutating func nextIdentifier() -> RequestIdentifier {
        lastRequest += 1
        return RequestIdentifier(lastRequest)
    }

    /// Asks for channels, from where they are known, in as few messages as the limits of the server allow.
    private mutating func requests(for channels: [ChannelName]) -> [Action] {
        var messages: [ClientMessage] = []
        var bytes = 0
        for channel in channels {
            // Every byte of a name could need an escape of six, and with a position the name is said twice.
            let size = channel.rawValue.utf8.count * 12 + 128
            if messages.isEmpty || bytes + size > WireLimits.clientMessageBytes - 256 {
                messages.append(ClientMessage(id: nextIdentifier()))
                bytes = 0
            }
            messages[messages.count - 1].subscribe.append(channel)
            if let position = positions[channel] {
                messages[messages.count - 1].since[channel] = position
                resuming.insert(channel)
            }
            bytes += size
        }
        return messages.map(Action.send)
    }
}
