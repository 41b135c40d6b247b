import Logging
import NIOCore
import TidingsWire

/// Speaks with one client over a WebSocket: reads its messages, keeps its channels, and writes what happens on them.
///
/// Lives on the event loop of its socket, and is the only handler there besides TLS. It holds back reading while the
/// client does not read what it was sent, so a client can make nothing grow by asking without listening.
final class WebSocketSession: ChannelDuplexHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    /// What the client is told, kept by the shard's table.
    var subscriptions: [ChannelSubscription<WebSocketSession>] = []

    private let shard: HubShard
    private let configuration: BroadcastHub.Configuration
    private var state = SessionState()
    private var reader: WebSocketReader
    private var context: ChannelHandlerContext?
    /// Frames of this loop turn. More than one only when several events were published within it.
    private var turn: [ByteBuffer] = []
    /// What waits because the client reads too slowly; nil while it does not.
    private var lagging: SignalQueue?
    private var isReadHeldBack = false

    init(shard: HubShard, configuration: BroadcastHub.Configuration) {
        self.shard = shard
        self.configuration = configuration
        reader = WebSocketReader(from: .client, maximumMessageBytes: configuration.clientMessageBytes)
    }
}

extension WebSocketSession: ChannelSubscriber {}

// MARK: - The channel's life

extension WebSocketSession {
    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        if context.channel.isActive { open() }
    }

    func channelActive(context: ChannelHandlerContext) {
        open()
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
            // Nobody is left to answer (the peer sent its last byte without a close frame, or after ours).
            context.close(promise: nil)
        case is ChannelShouldQuiesceEvent:
            close(.goingAway, reason: "the server is shutting down")
        default:
            context.fireUserInboundEventTriggered(event)
        }
    }

    private func open() {
        if !shard.open(self) { close(.goingAway, reason: "the server is shutting down") }
    }

    private func transportClosed() {
        guard state.phase != .closed else { return }
        state.transportClosed()
        shard.close(self)
        lagging = nil
        turn = []
    }
}

// MARK: - What the client says

extension WebSocketSession {
    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let buffer = unwrapInboundIn(data)
        do throws(WebSocketViolation) {
            try read(buffer)
        } catch {
            act(on: state.receive(error))
        }
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        context.flush()
        context.fireChannelReadComplete()
    }

    /// Reading waits until the client has read enough of what it was sent.
    func read(context: ChannelHandlerContext) {
        if context.channel.isWritable {
            context.read()
        } else {
            isReadHeldBack = true
        }
    }

    private func read(_ buffer: ByteBuffer) throws(WebSocketViolation) {
        let violation = buffer.withUnsafeReadableBytes { bytes -> WebSocketViolation? in
            do throws(WebSocketViolation) {
                try reader.read(bytes) { self.act(on: self.state.receive($0)) }
                return nil
            } catch {
                return error
            }
        }
        if let violation { throw violation }
    }

    private func act(on action: SessionState.Action) {
        switch action {
        case .nothing: break
        case .perform(let message): perform(message)
        case .send(let message): send(message)
        case .pong(let payload): write(WebSocketFrame.encode(.pong, payload))
        case .startClosing(let code, let reason):
            context?.writeAndFlush(
                wrapOutboundOut(ByteBuffer(bytes: WebSocketFrame.close(code, reason: reason))),
                promise: nil
            )
            closeTransport(after: configuration.closeTimeout)
        case .closeAndEnd(let code, let reason):
            context?.writeAndFlush(
                wrapOutboundOut(ByteBuffer(bytes: WebSocketFrame.close(code, reason: reason))),
                promise: nil
            )
            endTransport()
        case .end: endTransport()
        }
    }

    private func perform(_ message: ClientMessage) {
        for refusal in message.refused { send(.error(refusal)) }
        for channel in message.subscribe { subscribe(to: channel) }
        for channel in message.unsubscribe {
            shard.unsubscribe(self, from: channel)
            lagging?.removeAll(of: channel)
        }
        if let value = message.ping { send(.pong(value)) }
    }

    private func subscribe(to channel: ChannelName) {
        guard subscriptions.count < configuration.channelsPerSession || shard.holds(self, channel) else {
            return send(
                .error(
                    WireError(
                        .tooManyChannels,
                        "A connection holds at most \(configuration.channelsPerSession) channels. Unsubscribe from some first.",
                        channel: channel.rawValue
                    )
                )
            )
        }
        shard.subscribe(self, to: channel)
    }

    private func send(_ message: ServerMessage) {
        write(WebSocketFrame.encode(.text, PlainDialect.encode(message)))
    }

    private func write(_ frame: [UInt8]) {
        context?.write(wrapOutboundOut(ByteBuffer(bytes: frame)), promise: nil)
    }
}

// MARK: - What the client is told

extension WebSocketSession {
    /// Takes an event of this loop turn.
    ///
    /// - Returns: Whether the session has to be flushed at the end of the turn because of this event.
    func enqueue(_ published: PublishedEvent) -> Bool {
        guard state.phase == .open, let context else { return false }
        if lagging != nil || !context.channel.isWritable {
            lag(behind: published)
            return false
        }
        turn.append(published.frame)
        return turn.count == 1
    }

    /// Writes what the turn brought.
    func flushTurn() {
        guard let context, state.phase == .open else {
            turn = []
            return
        }
        for frame in turn { context.write(wrapOutboundOut(frame), promise: nil) }
        turn.removeAll(keepingCapacity: turn.count == 1)
        context.flush()
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        if context.channel.isWritable {
            writeLagging(context)
            if isReadHeldBack {
                isReadHeldBack = false
                context.read()
            }
        }
        context.fireChannelWritabilityChanged()
    }

    private func lag(behind published: PublishedEvent) {
        var queue =
            lagging.take()
            ?? SignalQueue(
                maximumBytes: configuration.pendingBytesPerSession,
                maximumSignals: configuration.pendingSignalsPerChannel
            )
        queue.append(published)
        lagging = queue
    }

    private func writeLagging(_ context: ChannelHandlerContext) {
        guard state.phase == .open, var queue = lagging.take() else { return }
        while context.channel.isWritable, let frame = queue.popFirst() {
            context.write(wrapOutboundOut(frame), promise: nil)
        }
        if !queue.isEmpty { lagging = queue }
        context.flush()
    }
}

// MARK: - Closing

extension WebSocketSession {
    /// Starts the closing handshake. Nothing is sent after the close frame; the transport is closed when the peer has
    /// answered, or has not in time.
    func close(_ code: CloseCode, reason: String) {
        flushTurn()
        act(on: state.close(code, reason: reason))
    }

    /// Ends this side of the transport and leaves the other one open for a moment: closing at once with unread bytes
    /// would reset the connection, and the peer might never see the close frame.
    private func endTransport() {
        guard let context else { return }
        context.close(mode: .output, promise: nil)
        closeTransport(after: configuration.closeTimeout)
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
