import NIOCore
import TidingsCompression
import TidingsWire

/// The part of the hub that lives on one event loop: its sessions and who of them holds which channel.
///
/// Everything but `wake` and `closeSessions` runs on the loop.
final class HubShard: Sendable {
    let hub: BroadcastHub
    let eventLoop: any EventLoop
    private let isolated: NIOLoopBound<Isolated>

    /// What only the loop touches.
    private final class Isolated {
        var table = SubscriptionTable<WebSocketSession>()
        var sessions: [ObjectIdentifier: WebSocketSession] = [:]
        var tick: Int64 = 0
        var sweep: RepeatedTask?
        var pace = DeliveryPace()
        let counters = ShardCounters()
        /// The loops that wait to be woken at the end of this one's turn. None twice: a loop that has an inbox is awake, or
        /// will be.
        var awakening: [HubShard] = []
        /// One for all sessions with compression: no message refers to another. Made when the first one needs them.
        lazy var deflater = MessageDeflater()
        lazy var inflater = MessageInflater(maximumMessageBytes: maximumMessageBytes)
        private let maximumMessageBytes: Int

        init(maximumMessageBytes: Int) {
            self.maximumMessageBytes = maximumMessageBytes
        }
    }

    init(hub: BroadcastHub, eventLoop: any EventLoop) {
        self.hub = hub
        self.eventLoop = eventLoop
        isolated = NIOLoopBound(
            Isolated(maximumMessageBytes: hub.configuration.clientMessageBytes),
            eventLoop: eventLoop
        )
    }

    var identifier: ObjectIdentifier { ObjectIdentifier(eventLoop) }
}

// MARK: - Delivery

extension HubShard {
    /// Makes the loop deliver what is in the inbox. Called by whoever put the first event there.
    func wake() {
        eventLoop.execute { self.deliverSoon() }
    }

    /// Delivers what is in the inbox, at once or with what comes in a moment.
    private func deliverSoon() {
        guard let delay = isolated.value.pace.delay(at: eventLoop.now) else { return deliverNow() }
        eventLoop.assumeIsolated().scheduleTask(in: delay) { self.deliverNow() }
    }

    /// Delivers what is in the inbox at once: nothing that was published before a close comes after it.
    func deliverNow() {
        guard var inbox = hub.takeInbox(of: self) else { return }
        let events = inbox.takeAll()
        let start = eventLoop.now
        deliver(events)
        if !events.isEmpty {
            counters.broadcastDuration.record(.nanoseconds((NIODeadline.now() - inbox.begin).nanoseconds))
        }
        isolated.value.pace.delivered(events.count, from: start, to: eventLoop.now)
    }

    /// Makes loops deliver what is in their inboxes once this one has read what there is to read. This loop goes last: it is
    /// busy for as long as it takes to deliver.
    func wakeLater(_ shards: [HubShard]) {
        if isolated.value.awakening.isEmpty, !shards.isEmpty {
            eventLoop.execute { self.wakeAwakening() }
        }
        isolated.value.awakening += shards
    }

    private func wakeAwakening() {
        let shards = isolated.value.awakening
        isolated.value.awakening = []
        for shard in shards where shard !== self { shard.wake() }
        if shards.contains(where: { $0 === self }) { deliverSoon() }
    }

    /// Gives each session what is new on its channels, and lets each write once.
    ///
    /// Nothing closes a session while the table is gone through: closing changes it.
    private func deliver(_ events: [PublishedEvent]) {
        let turns = ChannelTurn.group(events)
        var later = Later()
        for turn in turns {
            isolated.value.table.forEachSubscriber(of: turn.channel) { session in
                // With one channel in the turn there is nothing that a session's write would have to wait for.
                switch session.take(turn, isOnly: turns.count == 1) {
                case .done: break
                case .flush: later.flush.append(session)
                case .closeAsTooSlow: later.closeAsTooSlow.append(session)
                case .abort: later.abort.append(session)
                }
            }
        }
        for session in later.flush where !session.flushTurn() { later.abort.append(session) }
        for session in later.closeAsTooSlow { session.closeAsTooSlow() }
        for session in later.abort { session.abort() }
    }

    /// What a delivery leaves to do when nobody goes through the table any more.
    private struct Later {
        var flush: [WebSocketSession] = []
        var closeAsTooSlow: [WebSocketSession] = []
        var abort: [WebSocketSession] = []
    }
}

// MARK: - Counting

extension HubShard {
    /// What sessions count on.
    var counters: ShardCounters { isolated.value.counters }

    func countedStatistics() -> HubStatistics {
        var statistics = HubStatistics()
        counters.add(to: &statistics)
        statistics.pendingBytes = isolated.value.sessions.values.reduce(0) { $0 + $1.pendingBytes }
        return statistics
    }
}

extension HubShard {
    /// Sessions for which something waits. Only on the loop.
    var laggingSessions: [WebSocketSession] { isolated.value.sessions.values.filter(\.isLagging) }
}

// MARK: - Compression

extension HubShard {
    var deflater: MessageDeflater { isolated.value.deflater }

    /// Gives a message as it was before it was compressed. Others come back as they are.
    func restore(_ message: WebSocketMessage) throws(WebSocketViolation) -> WebSocketMessage {
        guard case .compressed = message else { return message }
        return try isolated.value.inflater.restore(message)
    }
}

// MARK: - Time

extension HubShard {
    /// Seconds or so, counted while there are sessions.
    var tick: Int64 { isolated.value.tick }

    /// One timer for all sessions: looking at each costs less than a timer each.
    private func startSweeping() {
        guard isolated.value.sweep == nil else { return }
        let second = TimeAmount.seconds(1)
        isolated.value.sweep = eventLoop.scheduleRepeatedTask(initialDelay: second, delay: second) { _ in self.sweep() }
    }

    private func stopSweeping() {
        isolated.value.sweep?.cancel()
        isolated.value.sweep = nil
    }

    private func sweep() {
        isolated.value.tick += 1
        let (tick, limits) = (tick, hub.configuration.heartbeatLimits)
        let streamLimits = hub.configuration.eventStreamLimits
        let (now, grace) = (hub.configuration.now(), hub.configuration.expiryGrace)
        var silent: [WebSocketSession] = []
        var unidentified: [(WebSocketSession, SessionAuthentication.Due)] = []
        for session in isolated.value.sessions.values {
            switch session.heartbeat.tick(at: tick, limits: session.isEventStream ? streamLimits : limits) {
            case .nothing: break
            case .ping: session.ping()
            case .end: silent.append(session)
            }
            let due = session.authentication.due(at: tick, now: now, grace: grace)
            if due != .nothing { unidentified.append((session, due)) }
        }
        for session in silent { session.endForSilence() }
        for (session, due) in unidentified { session.endForIdentity(due) }
    }
}

// MARK: - Sessions

extension HubShard {
    /// Adds a session.
    ///
    /// - Returns: Why it has to go at once; nil if it may stay.
    func open(_ session: WebSocketSession) -> SessionRefusal? {
        isolated.value.sessions[ObjectIdentifier(session)] = session
        startSweeping()
        return hub.sessionOpened(of: session.authentication.identity?.subject)
    }

    /// Removes a session and everything it holds. Doing it twice does nothing.
    func close(_ session: WebSocketSession) {
        guard isolated.value.sessions.removeValue(forKey: ObjectIdentifier(session)) != nil else { return }
        if isolated.value.sessions.isEmpty { stopSweeping() }
        for channel in isolated.value.table.removeAll(of: session) {
            hub.unsubscribed(from: channel, on: self)
        }
        hub.sessionClosed(of: session.authentication.identity?.subject)
    }

    func holds(_ session: WebSocketSession, _ channel: ChannelName) -> Bool {
        isolated.value.table.contains(session, in: channel)
    }

    /// Adds channels to a session. Events published before are delivered to the others first; if the session does not
    /// survive that, nothing is added. What happens from here on reaches the session when the caller has returned to the
    /// loop, so the caller can send what was missed before it.
    ///
    /// - Returns: For each channel where it stands, and what was missed.
    func subscribe(_ session: WebSocketSession, to requests: [ChannelRequest]) -> [ChannelOutcome] {
        let further = requests.filter { !holds(session, $0.channel) }.map(\.channel)
        let subscribing = hub.subscribe(to: requests, adding: further, on: self)
        hub.feeds.subscribed(to: further)
        deliver(subscribing.waiting)
        guard isolated.value.sessions[ObjectIdentifier(session)] != nil else {
            for channel in further { hub.unsubscribed(from: channel, on: self) }
            return []
        }
        for channel in further { isolated.value.table.insert(session, into: channel) }
        return subscribing.outcomes
    }

    func unsubscribe(_ session: WebSocketSession, from channel: ChannelName) {
        guard isolated.value.table.remove(session, from: channel) else { return }
        hub.unsubscribed(from: channel, on: self)
    }

    /// Starts the closing handshake of every session; returns when that is done on the loop.
    func closeSessions(_ code: CloseCode, reason: String) async {
        await forEachSession { $0.close(code, reason: reason) }
    }

    /// Starts the closing handshake of every session of a subject; returns how many when that is done on the loop.
    func closeSessions(of subject: String) async -> Int {
        let done = eventLoop.submit {
            self.deliverNow()
            let sessions = self.isolated.value.sessions.values.filter { $0.isOpen(for: subject) }
            for session in sessions { session.close(.closedByOperator, reason: "closed by an operator") }
            return sessions.count
        }
        // Fails only when the loop is shut down, and then no session is left.
        return (try? await done.get()) ?? 0
    }

    /// Lets every session drain; returns when that is done on the loop.
    func drainSessions() async {
        await forEachSession { $0.drain() }
    }

    /// Cuts every session off; returns when that is done on the loop.
    func abortSessions() async {
        await forEachSession { $0.abort() }
    }

    private func forEachSession(_ body: @escaping @Sendable (WebSocketSession) -> Void) async {
        let done = eventLoop.submit {
            self.deliverNow()
            // A copy: what the body does may change the table.
            for session in Array(self.isolated.value.sessions.values) { body(session) }
        }
        // Fails only when the loop is shut down, and then no session is left.
        try? await done.get()
    }
}
