import TidingsWire

/// Where a client stands with its server, and what follows from what happens. A value without a socket, a clock or a
/// lock: it says what to do, its owner does it, in the order given.
struct ConnectionMachine {
    private(set) var phase = Phase.idle
    /// The channels that somebody wants to hear, in the order in which they were asked for.
    private(set) var channels: [ChannelName] = []
    private let backoff: Backoff
    /// Whether there was a connection since ``connect()``: events may have been missed since then.
    private var wasConnected = false

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
    mutating func subscribe(to channel: ChannelName) -> [Action] {
        channels.append(channel)
        guard case .connected = phase else { return [] }
        return [.send(ClientMessage(subscribe: [channel]))]
    }

    /// The last user of a channel has gone.
    mutating func unsubscribe(from channel: ChannelName) -> [Action] {
        channels.removeAll { $0 == channel }
        guard case .connected = phase else { return [] }
        return [.send(ClientMessage(unsubscribe: [channel]))]
    }
}

// MARK: - What happens

extension ConnectionMachine {
    /// The opening handshake is done. Everything that is wanted is asked for, and, if there was a connection before,
    /// told to be stale: what happened in between is not known.
    mutating func opened() -> [Action] {
        guard case .connecting(let attempt) = phase else { return [.close] }
        phase = .connected(attempt: attempt)
        var actions = messages(subscribingTo: channels).map(Action.send)
        if wasConnected { actions += channels.map { .deliver(.stale($0, reason: .gap)) } }
        wasConnected = true
        return actions
    }

    mutating func received(_ message: ServerMessage) -> [Action] {
        switch message {
        case .event(let event): [.deliver(event)]
        case .error(let error): [.report(error)]
        case .pong: []
        }
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
        case .reconnect, .reconnectAnnounced, .reconnectResuming, .refreshToken:
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

    /// As few messages as the limits of the server allow.
    private func messages(subscribingTo channels: [ChannelName]) -> [ClientMessage] {
        var messages: [ClientMessage] = []
        var bytes = 0
        for channel in channels {
            // Every byte of a name could need an escape of six.
            let size = channel.rawValue.utf8.count * 6 + 3
            if messages.isEmpty || bytes + size > WireLimits.clientMessageBytes - 64 {
                messages.append(ClientMessage())
                bytes = 0
            }
            messages[messages.count - 1].subscribe.append(channel)
            bytes += size
        }
        return messages
    }
}
