import Logging
import NIOCore
import TidingsWire

/// Speaks with one client over a WebSocket: reads its messages, keeps its channels, and writes what happens on them. Or,
/// as an event stream, writes only.
///
/// Lives on the event loop of its socket, and is the only handler there besides TLS. It holds back reading while the
/// client does not read what it was sent, so a client can make nothing grow by asking without listening.
final class WebSocketSession: ChannelDuplexHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    /// What the client is told, kept by the shard's table.
    var subscriptions: [ChannelSubscription<WebSocketSession>] = []

    let shard: HubShard
    let counters: ShardCounters
    let writer: FrameWriter
    private(set) var context: ChannelHandlerContext?
    var state: SessionState
    private var reader: WebSocketReader
    private var rate = RateLimit()
    /// Whether the last message was refused for coming too fast: a flood without identifiers gets one error.
    private var isOverRate = false
    private var isReadHeldBack = false
    private var isDraining = false
    /// Whether a close frame was sent, and is counted.
    private var isCounted = false
    /// Who the client is.
    var authentication: SessionAuthentication
    /// What the session waits for before it listens on; nil while it waits for nothing.
    var consultation: Consultation?
    /// What the client asked for with its connection, until it is known who it is.
    var opening: OpeningRequest?
    /// Up to where the client of an event stream knows its channels; nil on a WebSocket.
    var stream: EventStreamCursor?

    // The output's business.
    var heartbeat: SessionHeartbeat
    /// The socket, where frames go straight to it; nil behind TLS.
    var socket: DirectSocket?
    /// Writes that are in the pipeline and not through.
    var pendingWrites = 0
    /// Frames of this loop turn, one buffer for each channel.
    var turn: [ByteBuffer] = []
    /// Events of this loop turn, of an event stream that holds several channels.
    var collected: [PublishedEvent] = []
    /// What waits because the client reads too slowly; nil while nothing does.
    var waiting: OutboundQueue?

    private let writesDirectly: Bool

    init(
        shard: HubShard,
        writesDirectly: Bool,
        language: SessionLanguage,
        authentication: SessionAuthentication,
        isCompressed: Bool,
        opening: OpeningRequest? = nil
    ) {
        self.shard = shard
        counters = shard.counters
        self.authentication = authentication
        self.opening = opening
        stream = language == .eventStream ? EventStreamCursor() : nil
        writer = FrameWriter(
            dialect: language.dialect,
            deflater: isCompressed ? shard.deflater : nil,
            feeds: shard.hub.feeds,
            framing: language == .eventStream ? .eventStream : .webSocket
        )
        state = SessionState(language: language)
        self.writesDirectly = writesDirectly
        reader = WebSocketReader(
            from: .client,
            maximumMessageBytes: shard.hub.configuration.clientMessageBytes,
            allowsCompression: isCompressed
        )
        heartbeat = SessionHeartbeat(at: shard.tick)
    }
}

extension WebSocketSession: ChannelSubscriber {}

// MARK: - The channel's life

extension WebSocketSession {
    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        if context.channel.isActive { open(context) }
    }

    func channelActive(context: ChannelHandlerContext) {
        open(context)
        context.fireChannelActive()
    }

    func channelInactive(context: ChannelHandlerContext) {
        transportClosed()
        context.fireChannelInactive()
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        transportClosed()
        self.context = nil
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        shard.hub.logger.debug("session failed", metadata: ["error": "\(error)"])
        context.close(promise: nil)
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        switch event {
        case ChannelEvent.inputClosed:
            // Nobody is left to answer: the peer sent its last byte without a close frame, or after ours.
            context.close(promise: nil)
        case is ChannelShouldQuiesceEvent:
            shard.hub.quiesce()
            drain()
        default:
            context.fireUserInboundEventTriggered(event)
        }
    }

    private func open(_ context: ChannelHandlerContext) {
        if writesDirectly { socket = DirectSocket(context) }
        beginEventStream()
        if let refusal = shard.open(self) { return close(refusal.code, reason: refusal.reason) }
        if case .refused(let error) = authentication { return close(.notAuthenticated, reason: error.message) }
        send(.welcome(makeWelcome()))
        performOpening()
        context.flush()
    }

    private func makeWelcome() -> Welcome {
        let number = UInt64.random(in: 0...UInt64.max)
        return Welcome(
            connection: "c-" + String(number, radix: 36),
            server: BroadcastHub.serverName,
            heartbeat: shard.hub.configuration.heartbeatInterval,
            authenticated: authentication.identity?.authenticated
        )
    }

    private func transportClosed() {
        guard state.phase != .closed else { return }
        state.transportClosed()
        shard.close(self)
        if !isCounted { counters.ended(isEventStream ? .noCode : .abnormal) }
        endConsultation()
        waiting = nil
        turn = []
        collected = []
    }
}

// MARK: - What the client says

extension WebSocketSession {
    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        heartbeat.heard(at: shard.tick)
        guard !isEventStream else { return }
        do throws(WebSocketViolation) {
            try read(unwrapInboundIn(data))
        } catch {
            act(on: state.receive(error))
        }
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        context.flush()
        context.fireChannelReadComplete()
    }

    /// Reading waits until the client has read enough of what it was sent, and while much waits for a decision.
    func read(context: ChannelHandlerContext) {
        if mayRead(context) {
            context.read()
        } else {
            isReadHeldBack = true
        }
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        if context.channel.isWritable {
            resumeOutput()
            resumeReading()
        } else {
            heartbeat.blocked(at: shard.tick)
        }
        context.fireChannelWritabilityChanged()
    }

    func resumeReading() {
        guard isReadHeldBack, let context, mayRead(context) else { return }
        isReadHeldBack = false
        context.read()
    }

    private func mayRead(_ context: ChannelHandlerContext) -> Bool {
        context.channel.isWritable && consultation?.isFull != true
    }

    private func read(_ buffer: ByteBuffer) throws(WebSocketViolation) {
        let violation = buffer.withUnsafeReadableBytes { bytes -> WebSocketViolation? in
            do throws(WebSocketViolation) {
                try reader.read(bytes) { message throws(WebSocketViolation) in try self.receive(message) }
                return nil
            } catch {
                return error
            }
        }
        if let violation { throw violation }
    }

    private func receive(_ message: WebSocketMessage) throws(WebSocketViolation) {
        if case .close = message { return act(on: state.receive(message)) }
        guard state.phase == .open, let context else { return }
        guard rate.allows(at: context.eventLoop.now, limits: shard.hub.configuration.rateLimits) else {
            return refuseForRate(try shard.restore(message))
        }
        isOverRate = false
        // Held as it came: what a message inflates to does not wait.
        if let consultation, consultation.hold(message) { return }
        act(on: state.receive(try shard.restore(message)))
    }

    private func refuseForRate(_ message: WebSocketMessage) {
        let identifier: RequestIdentifier? =
            if case .text(let text) = message { writer.dialect.requestIdentifier(of: text) } else { nil }
        // Who asks with an identifier waits for an answer.
        guard !isOverRate || identifier != nil else { return }
        isOverRate = true
        let limits = shard.hub.configuration.rateLimits
        let sentence =
            "At most \(limits.perSecond) messages a second, \(limits.burst) at once. What comes faster is ignored."
        send(.error(WireError(.rateLimited, sentence), id: identifier))
    }

    func act(on action: SessionState.Action) {
        switch action {
        case .nothing: break
        case .perform(let message): perform(message)
        case .send(let message): send(message)
        case .pong(let payload): write(ByteBuffer(bytes: WebSocketFrame.encode(.pong, payload)))
        case .echo(let opcode, let payload): write(writer.frame(opcode, payload))
        case .startClosing(let code, let reason):
            sendClose(code, reason: reason)
            // There is no handshake to wait for.
            guard !isEventStream else { return endTransport() }
            closeTransport(after: shard.hub.configuration.closeTimeout)
        case .closeAndEnd(let code, let reason):
            sendClose(code, reason: reason)
            endTransport()
        case .end: endTransport()
        }
    }

    func send(_ message: ServerMessage) {
        // Nothing is said after a close frame.
        guard state.phase == .open else { return }
        shard.hub.refused(message)
        for text in writer.dialect.encode(message) { write(writer.frame(.text, text)) }
    }
}

// MARK: - What the client asks for

extension WebSocketSession {
    func perform(_ message: ClientMessage) {
        let message = withOpening(message)
        // The answer names every channel: one to a message of thousands would be many times the message.
        let named = message.subscribe.count + message.unsubscribe.count + message.refused.count
        guard named <= 2 * shard.hub.configuration.channelsPerSession else {
            let most = 2 * shard.hub.configuration.channelsPerSession
            let error = WireError(.tooManyChannels, "A message names at most \(most) channels; nothing of it was done.")
            opening = nil
            return send(.error(error, id: message.id))
        }
        guard authentication.allowsRequests || message.authentication != nil else {
            let error = WireError(.unauthenticated, "Say who you are first: send a token with \"auth\".")
            return send(.error(error, id: message.id))
        }
        let question = Gatekeeper.Question(
            token: message.authentication,
            identity: authentication.identity,
            held: message.authentication == nil ? [] : subscriptions.map(\.channel.name),
            subscribe: message.subscribe,
            publish: message.publish?.channel
        )
        if let verdict = shard.hub.gatekeeper.immediateVerdict(on: question) {
            lookUp(message, verdict)
        } else {
            consult(question, about: message)
        }
    }

    /// Does what is allowed of a message, and answers it.
    ///
    /// - Parameters:
    ///   - excerpts: What logs that are kept elsewhere say of what the client missed.
    ///   - published: What became of the event, if it had to be published elsewhere.
    func carryOut(
        _ message: ClientMessage,
        _ verdict: Gatekeeper.Verdict,
        _ excerpts: [ChannelName: LogExcerpt] = [:],
        published: Result<EventPosition, WireError>? = nil
    ) {
        var reply = ServerReply(id: message.id, refused: message.refused, pong: message.ping)
        if message.authentication != nil {
            guard identify(as: verdict.identity, losing: verdict.lost, &reply) else { return }
        }
        let missed = subscribe(message, allowed: verdict.subscribe, excerpts, &reply)
        endOpening(&reply)
        // What had waited for other channels was delivered, and may have ended the session.
        guard state.phase == .open else { return }
        for channel in message.unsubscribe { unsubscribe(from: channel) }
        reply.unsubscribed = message.unsubscribe
        switch published {
        case .success(let position): reply.published = position
        case .failure(let error): reply.refused.append(error)
        case nil: if let request = message.publish { publish(request, isAllowed: verdict.mayPublish, &reply) }
        }
        send(.reply(reply))
        guard !isEventStream else {
            return resumeEventStream(reply.subscribed, since: message.since, missed: missed)
        }
        replay(missed.filter { shard.holds(self, $0.channel) })
    }

    /// Subscribes what may be subscribed.
    ///
    /// - Returns: What happened meanwhile on the channels that are recovered.
    private func subscribe(
        _ message: ClientMessage,
        allowed: Set<ChannelName>,
        _ excerpts: [ChannelName: LogExcerpt],
        _ reply: inout ServerReply
    ) -> [ChannelTurn] {
        guard !message.subscribe.isEmpty else { return [] }
        var granted: [ChannelRequest] = []
        var further: Set<ChannelName> = []
        for channel in message.subscribe where !granted.contains(where: { $0.channel == channel }) {
            guard allowed.contains(channel) else {
                // It may be held from a time when it was allowed.
                unsubscribe(from: channel)
                reply.refused.append(forbidden("This connection may not subscribe to this channel.", channel))
                continue
            }
            if !shard.holds(self, channel) {
                guard subscriptions.count + further.count < shard.hub.configuration.channelsPerSession else {
                    reply.refused.append(tooManyChannels(channel))
                    continue
                }
                further.insert(channel)
            }
            granted.append(shard.hub.request(for: channel, since: message.since[channel], excerpts[channel]))
        }
        let outcomes = shard.subscribe(self, to: granted)
        reply.subscribed = outcomes.map(\.subscribed)
        return outcomes.filter { !$0.missed.isEmpty }
            .map { ChannelTurn(channel: $0.subscribed.channel, events: $0.missed) }
    }

    func unsubscribe(from channel: ChannelName) {
        shard.unsubscribe(self, from: channel)
        waiting?.removeAll(of: channel)
    }

    private func publish(_ request: PublishRequest, isAllowed: Bool, _ reply: inout ServerReply) {
        guard isAllowed else {
            return reply.refused.append(forbidden("This connection may not publish on this channel.", request.channel))
        }
        let most = shard.hub.configuration.payloadBytes
        guard request.payload.json.count <= most else {
            let message = "A payload has at most \(most) bytes. Publish a hint and let clients refetch."
            return reply.refused.append(WireError(.tooLarge, message, channel: request.channel.rawValue))
        }
        do throws(BroadcastError) {
            reply.published = try shard.hub.publish(request.event, from: shard)
        } catch {
            let message = "What happens on this channel is told by the server alone: change what it is about."
            reply.refused.append(forbidden(message, request.channel))
        }
    }

    /// Sends what was missed behind the reply, before anything that happens from now on.
    private func replay(_ missed: [ChannelTurn]) {
        guard !missed.isEmpty else { return }
        context?.flush()
        for turn in missed {
            switch take(turn, isOnly: true) {
            case .done: break
            case .flush: _ = flushTurn()
            case .closeAsTooSlow: return closeAsTooSlow()
            case .abort: return abort()
            }
        }
    }

    func forbidden(_ message: String, _ channel: ChannelName) -> WireError {
        WireError(.forbidden, message, channel: channel.rawValue)
    }

    private func tooManyChannels(_ channel: ChannelName) -> WireError {
        let most = shard.hub.configuration.channelsPerSession
        let message = "A connection holds at most \(most) channels. Unsubscribe from some first."
        return WireError(.tooManyChannels, message, channel: channel.rawValue)
    }
}

// MARK: - Closing

extension WebSocketSession {
    /// Starts the closing handshake. Nothing is sent after the close frame; the transport is closed when the peer has
    /// answered, or has not in time.
    func close(_ code: CloseCode, reason: String) {
        _ = flushTurn()
        act(on: state.close(code, reason: reason))
    }

    /// Closes the session at a random moment of the time over which a draining server spreads its closes. Draining twice
    /// does nothing more.
    func drain() {
        guard state.phase == .open, !isDraining, let context else { return }
        isDraining = true
        send(.draining(reconnectWithin: shard.hub.configuration.drainWindow))
        context.flush()
        let delay = TimeAmount(shard.hub.configuration.drainWindow * Double.random(in: 0...1))
        let timer = context.eventLoop.assumeIsolated().scheduleTask(in: delay) {
            self.shard.deliverNow()
            self.close(.draining, reason: "the server is draining")
        }
        context.channel.closeFuture.whenComplete { _ in timer.cancel() }
    }

    /// Ends a connection whose peer is gone or does not read.
    func abort() {
        context?.abort()
    }

    /// Ends a connection whose peer has shown no sign of life. It is told, in case it reads again some day.
    func endForSilence() {
        close(.noHeartbeat, reason: "no sign of life")
        abort()
    }

    private func sendClose(_ code: CloseCode, reason: String) {
        isCounted = true
        counters.ended(code)
        shard.hub.closed(code, reason: reason)
        let words = ByteBuffer(bytes: WebSocketFrame.close(code, reason: reason))
        write(isEventStream ? farewell(code, reason: reason) : words)
        context?.flush()
    }

    /// Ends this side of the transport and leaves the other one open for a moment: closing at once with unread bytes
    /// would reset the connection, and the peer might never see the close frame.
    private func endTransport() {
        guard let context else { return }
        context.close(mode: .output, promise: nil)
        closeTransport(after: shard.hub.configuration.closeTimeout)
    }

    private func closeTransport(after timeout: Duration) {
        guard let context else { return }
        let channel = context.channel
        let timer = context.eventLoop.scheduleTask(in: TimeAmount(timeout)) {
            channel.close(promise: nil)
        }
        channel.closeFuture.whenComplete { _ in timer.cancel() }
    }
}
