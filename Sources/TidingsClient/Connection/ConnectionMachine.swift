import FoundationEssentials
import TidingsWire

/// Where a client stands with its server, and what follows from what happens. A value without a socket, a clock or a
/// lock: it says what to do, its owner does it, in the order given.
struct ConnectionMachine {
    private(set) var phase = Phase.idle
    private(set) var subscriptions = ChannelSubscriptions()
    private let backoff: Backoff
    /// Whether a token is asked for before each connection.
    private let usesTokens: Bool
    /// The token of this connection, or of the last one.
    private var token: String?
    /// A token that the server did not accept: only another one is worth an attempt.
    private var refusedToken: String?
    /// A token that was sent to the server of this connection, and the request that it was sent with.
    private var offered: (token: String, request: RequestIdentifier)?
    /// The time that a draining server announced.
    private var announced: Duration?
    private var wasConnected = false
    /// Whether ``ConnectionMachine/ask()`` is going to be called.
    private var willAsk = false

    enum Phase: Equatable {
        /// Nobody asked for a connection, or somebody asked to end it. → `authorizing`, `connecting`.
        case idle
        /// A token is asked for, for the given attempt in a row. → `connecting`, `waiting`, `failed`, `idle`.
        case authorizing(attempt: Int)
        /// The socket is being opened, for the given time in a row. → `connected`, `waiting`, `failed`, `idle`.
        case connecting(attempt: Int)
        /// Messages go both ways. → `waiting`, `failed`, `idle`.
        case connected(attempt: Int)
        /// The next attempt comes after a while. → `authorizing`, `connecting`, `idle`.
        case waiting(attempt: Int)
        /// The server does not want this client, or the attempts are used up. → `authorizing`, `connecting`.
        case failed(BroadcastClientError)
    }

    enum Action: Equatable {
        /// Ask the application for a token, and call ``ConnectionMachine/authorized(_:)``.
        case fetchToken
        /// Ask no longer.
        case cancelToken
        /// Open a socket.
        case open(token: String?)
        /// Close the socket that is open or being opened.
        case close
        /// Send to the server.
        case send(ClientMessage)
        /// Call ``ConnectionMachine/ask()`` at the end of the loop's turn.
        case askSoon
        /// Call ``ConnectionMachine/ask()`` after a while: the server is busy.
        case askLater
        /// Call ``ConnectionMachine/waited()`` after the wait before this attempt.
        case wait(attempt: Int)
        /// Call ``ConnectionMachine/waited()`` at a random moment within this time.
        case waitWithin(Duration)
        /// The server says something at least this often.
        case expectHeartbeat(every: Duration)
        /// Call ``ConnectionMachine/tokenIsAging()`` well before this time.
        case expectExpiry(Date)
        /// Do not call it after all.
        case cancelWait
        /// Tell those who hear the channel that it is about.
        case tell(ChannelSubscriptions.News)
        /// Call ``ConnectionMachine/pongIsLate(_:)`` after a while.
        case expectPong(Int)
        /// The server did not accept something.
        case report(WireError)
    }

    init(backoff: Backoff, usesTokens: Bool = false) {
        self.backoff = backoff
        self.usesTokens = usesTokens
    }

    var state: BroadcastClient.State {
        switch phase {
        case .idle: .disconnected
        case .authorizing(attempt: 0) where !wasConnected, .connecting(attempt: 0) where !wasConnected: .connecting
        case .authorizing, .connecting, .waiting: .reconnecting
        case .connected: .connected
        case .failed(let error): .failed(error)
        }
    }
}

// MARK: - What the application asks for

extension ConnectionMachine {
    mutating func connect() -> [Action] {
        switch phase {
        case .authorizing, .connecting, .connected: return []
        case .waiting:
            return [.cancelWait] + begin(attempt: 0)
        case .idle, .failed:
            wasConnected = false
            announced = nil
            refusedToken = nil
            return begin(attempt: 0)
        }
    }

    mutating func disconnect() -> [Action] {
        defer { phase = .idle }
        switch phase {
        case .authorizing: return [.cancelToken]
        case .connecting: return [.close]
        case .connected:
            lostConnection()
            return [.cancelToken, .close]
        case .waiting: return [.cancelWait]
        case .idle, .failed: return []
        }
    }

    /// The first user of a channel has come.
    ///
    /// - Parameter since: Up to where it knows the channel.
    mutating func subscribe(to channel: ChannelName, since: EventPosition? = nil) -> [Action] {
        let news = subscriptions.want(channel, since: since)
        return soon() + news.map(Action.tell)
    }

    /// The last user of a channel has gone.
    mutating func unsubscribe(from channel: ChannelName) -> [Action] {
        subscriptions.release(channel)
        return soon()
    }

    /// The end of a turn in which something was asked for: what several asked for goes into one message.
    mutating func ask() -> [Action] {
        willAsk = false
        guard case .connected = phase else { return [] }
        let messages = subscriptions.takeRequests()
        return messages.map(Action.send) + messages.compactMap(\.ping).map(Action.expectPong)
    }

    /// A server that should have answered a ping has not.
    mutating func pongIsLate(_ ping: Int) -> [Action] {
        subscriptions.stopWaiting(for: ping).map(Action.tell)
    }

    private mutating func soon() -> [Action] {
        guard case .connected = phase, !willAsk else { return [] }
        willAsk = true
        return [.askSoon]
    }
}

// MARK: - Tokens

extension ConnectionMachine {
    /// The application has given a token, or none, or cannot.
    mutating func authorized(_ result: Result<String?, any Error>) -> [Action] {
        switch (phase, result) {
        case (.authorizing(let attempt), .success(let token)):
            if let token, token == refusedToken {
                phase = .failed(Self.refusedTokenError)
                return []
            }
            self.token = token
            phase = .connecting(attempt: attempt)
            return [.open(token: token)]
        case (.authorizing(let attempt), .failure(let error)):
            return wait(beforeAttempt: attempt + 1, after: .unauthorized(error))
        case (.connected, .success(let token?)) where token != self.token:
            let request = subscriptions.nextIdentifier()
            offered = (token, request)
            return [.send(ClientMessage(id: request, authentication: token))]
        default:
            // The same token as before, or none: it lasts as long as it does.
            return []
        }
    }

    /// The token of this connection should be replaced before it expires.
    mutating func tokenIsAging() -> [Action] {
        guard case .connected = phase, usesTokens else { return [] }
        return [.fetchToken]
    }

    private mutating func authenticated(_ authenticated: Authenticated, by request: RequestIdentifier?) -> [Action] {
        let expiry = usesTokens ? authenticated.expiresAt.map { [Action.expectExpiry($0)] } ?? [] : []
        guard let offered, offered.request == request else { return expiry }
        token = offered.token
        self.offered = nil
        subscriptions.mayRetryRefused()
        return expiry + soon()
    }

    private static let refusedTokenError = BroadcastClientError(
        .notAuthenticated,
        "The server did not accept the token, and there is no other. Connect again when there is."
    )
}

// MARK: - What happens

extension ConnectionMachine {
    /// The opening handshake is done. Everything that is wanted is asked for.
    ///
    /// - Parameter keepsEvents: Whether the server answers with positions.
    mutating func opened(keepsEvents: Bool) -> [Action] {
        guard case .connecting(let attempt) = phase else { return [.close] }
        phase = .connected(attempt: attempt)
        wasConnected = true
        announced = nil
        subscriptions.connected(keepsEvents: keepsEvents)
        return ask()
    }

    mutating func received(_ message: ServerMessage) -> [Action] {
        switch message {
        case .event(let event):
            let isNews = subscriptions.received(event)
            return (isNews ? [.tell(.event(event))] : []) + (subscriptions.mayHaveRequests ? soon() : [])
        case .reply(let reply):
            let news = subscriptions.answered(reply).map(Action.tell)
            let authentication = reply.authenticated.map { authenticated($0, by: reply.id) } ?? []
            return news + reply.refused.map(Action.report) + authentication
        case .error(let error, let id):
            return refused(error, id)
        case .welcome(let welcome):
            let authentication = welcome.authenticated.map { authenticated($0, by: nil) } ?? []
            return [.expectHeartbeat(every: welcome.heartbeat)] + authentication
        case .draining(let time):
            announced = time
            return []
        }
    }

    private mutating func refused(_ error: WireError, _ id: RequestIdentifier?) -> [Action] {
        if let offered, offered.request == id { self.offered = nil }
        guard error.code == .rateLimited else {
            return subscriptions.refused(error, id).map(Action.tell) + [.report(error)]
        }
        subscriptions.mustRepeat(id)
        guard !willAsk else { return [.report(error)] }
        willAsk = true
        return [.report(error), .askLater]
    }

    /// The connection ended, or was not made.
    ///
    /// - Parameters:
    ///   - end: How.
    ///   - wasStable: Whether it had lasted long enough for the next attempts to count from the beginning.
    mutating func ended(_ end: ConnectionEnd, wasStable: Bool) -> [Action] {
        let attempt: Int
        switch phase {
        case .idle, .failed, .waiting, .authorizing: return []
        case .connecting(let previous): attempt = previous + 1
        case .connected(let previous): attempt = wasStable ? 1 : previous + 1
        }
        lostConnection()
        return [.cancelToken] + follow(end.advice, afterAttempt: attempt, end)
    }

    private mutating func follow(
        _ advice: CloseCode.Advice,
        afterAttempt attempt: Int,
        _ end: ConnectionEnd
    ) -> [Action] {
        switch advice {
        case .reconnect, .reconnectAnnounced:
            guard let time = announced else { return wait(beforeAttempt: attempt, after: end) }
            announced = nil
            phase = .waiting(attempt: attempt)
            return [.waitWithin(time)]
        case .reconnectResuming, .refreshToken:
            return wait(beforeAttempt: attempt, after: end)
        case .reconnectLongest:
            return wait(beforeAttempt: max(attempt, Self.attemptOfLongestWait), after: end)
        case .awaitToken where usesTokens && token != nil && token != refusedToken:
            refusedToken = token
            return wait(beforeAttempt: attempt, after: end)
        case .stayAway, .awaitToken, .report:
            phase = .failed(end.error)
            return []
        }
    }

    /// The wait is over.
    mutating func waited() -> [Action] {
        guard case .waiting(let attempt) = phase else { return [] }
        return begin(attempt: attempt)
    }

    private mutating func begin(attempt: Int) -> [Action] {
        phase = usesTokens ? .authorizing(attempt: attempt) : .connecting(attempt: attempt)
        return usesTokens ? [.fetchToken] : [.open(token: nil)]
    }

    private mutating func lostConnection() {
        offered = nil
        willAsk = false
        subscriptions.disconnected()
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
}
