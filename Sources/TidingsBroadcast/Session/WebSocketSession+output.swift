import NIOCore
import TidingsWire

/// How a session writes.
///
/// As long as the client reads everything at once, each turn of the loop is one send(2) on the socket, without the
/// pipeline. When the system takes only part of it, the rest goes through the pipeline, and what comes after waits in a
/// queue in which newer signals take the place of older ones. The rules that make this sound:
/// - Frames leave in one order: nothing is sent directly while a write is in the pipeline or an event is in the queue.
/// - The descriptor is used only right after the channel was seen to be active.
/// - A write that failed wakes nothing: the connection is ending.
/// - After a close frame nothing is written.
extension WebSocketSession {
    /// What is left to do for a session that took a turn of the loop on one channel.
    enum Remainder {
        /// Nothing, or it follows already from another channel.
        case done
        /// Flush it at the end of the turn.
        case flush
        /// Close it: a stream has more waiting than it may.
        case closeAsTooSlow
        /// Abort it: its socket failed.
        case abort
    }

    /// Takes what a turn of the loop brought on one channel. Closes nothing, whatever happens.
    ///
    /// - Parameters:
    ///   - batch: What it brought.
    ///   - isOnly: Whether the turn brought something on this channel only: then it need not be collected.
    func take(_ batch: ChannelTurn, isOnly: Bool) -> Remainder {
        guard state.phase == .open else { return .done }
        guard !batch.breaksStream else { return .closeAsTooSlow }
        guard !isEventStream else { return collect(batch, isOnly: isOnly) }
        guard isClear else {
            for published in batch.events where !wait(published) { return .closeAsTooSlow }
            return .done
        }
        counters.delivered += batch.events.count
        if isOnly, let socket, let context {
            return sendDirectly(batch.frames(by: writer), to: socket, context: context)
        }
        turn.append(batch.frames(by: writer))
        return turn.count == 1 ? .flush : .done
    }

    /// Ends a session whose stream cannot be kept up with: its reader comes back with its position and asks what it
    /// missed. The close frame waits behind what is in the pipeline, as long as the closing handshake may take.
    func closeAsTooSlow() {
        waiting = nil
        close(.tooSlow, reason: "a stream was read too slowly")
    }

    /// Writes what the turn brought.
    ///
    /// - Returns: Whether the connection is still of use. If not, the caller aborts it when nobody goes through the
    ///   shard's tables any more: closing changes them.
    func flushTurn() -> Bool {
        if state.phase == .open, !collected.isEmpty { return flushCollected() }
        guard state.phase == .open, !turn.isEmpty else {
            context?.flush()
            return true
        }
        let buffer = joinedTurn()
        if turn.capacity > 4 { turn = [] } else { turn.removeAll(keepingCapacity: true) }
        return send(buffer)
    }

    /// Sends a ping, behind what is on its way.
    func ping() {
        guard state.phase == .open else { return }
        write(ByteBuffer(bytes: isEventStream ? EventStreamText.comment() : WebSocketFrame.encode(.ping, [])))
        context?.flush()
    }

    /// Adds a frame to the pipeline; whoever calls flushes.
    func write(_ frame: ByteBuffer) {
        guard let context else { return }
        pendingWrites += 1
        let promise = context.eventLoop.makePromise(of: Void.self)
        promise.futureResult.assumeIsolated().whenComplete { [self] result in
            pendingWrites -= 1
            guard case .success = result else { return }
            heartbeat.progressed(at: shard.tick, isThrough: pendingWrites == 0)
            if pendingWrites == 0 { resumeOutput() }
        }
        context.write(wrapOutboundOut(frame), promise: promise)
    }

    /// Bytes that wait for the client to read, here and in the channel.
    var pendingBytes: Int {
        let inChannel = pendingWrites > 0 ? try? context?.channel.syncOptions?.getOption(.bufferedWritableBytes) : nil
        return (waiting?.bytes ?? 0) + (inChannel ?? 0)
    }

    /// Whether the client reads more slowly than its channels speak.
    var isLagging: Bool { waiting != nil || heartbeat.isBlocked }

    /// Sends what waits, as far as the client reads.
    func resumeOutput() {
        while state.phase == .open, isUnblocked, let queue = waiting {
            let waited = queue.count
            let buffer = isEventStream ? nextPiece(of: queue) : queue.popPiece(of: Self.pieceBytes)
            counters.delivered += waited - queue.count
            if queue.isEmpty { waiting = nil }
            guard send(buffer) else { return abort() }
        }
    }
}

// MARK: - Parts

extension WebSocketSession {
    /// Small enough that a reader of a kilobyte a second shows within the heartbeat's time that it reads.
    static var pieceBytes: Int { 16 * 1024 }

    /// Whether the next frame may be sent at once.
    var isClear: Bool { waiting == nil && isUnblocked }

    private var isUnblocked: Bool {
        socket != nil ? pendingWrites == 0 : context?.channel.isWritable == true
    }

    private func joinedTurn() -> ByteBuffer {
        var joined = turn.first ?? ByteBuffer()
        for buffer in turn.dropFirst() { joined.writeImmutableBuffer(buffer) }
        return joined
    }

    func send(_ buffer: ByteBuffer) -> Bool {
        guard let context else { return true }
        guard let socket, pendingWrites == 0 else {
            write(buffer)
            context.flush()
            return true
        }
        switch sendDirectly(buffer, to: socket, context: context) {
        case .abort: return false
        case .flush: context.flush()
        case .done, .closeAsTooSlow: break
        }
        return true
    }

    /// Sends on the socket what it takes, and adds the rest to the pipeline. Only while no write is in the pipeline.
    /// Flushing is left to the caller: a flush may find that the connection is gone, and close it.
    func sendDirectly(
        _ buffer: ByteBuffer,
        to socket: DirectSocket,
        context: ChannelHandlerContext
    ) -> Remainder {
        guard context.channel.isActive else { return .done }
        switch socket.send(buffer) {
        case .sent(let count) where count == buffer.readableBytes:
            return .done
        case .sent(let count):
            writeRest(buffer.getSlice(at: buffer.readerIndex + count, length: buffer.readableBytes - count))
            return .flush
        case .full:
            writeRest(buffer)
            return .flush
        case .failed:
            return .abort
        }
    }

    /// The pipeline sends the rest, in pieces: each that goes out is a sign of life.
    private func writeRest(_ rest: ByteBuffer?) {
        guard var rest else { return }
        heartbeat.blocked(at: shard.tick)
        while let piece = rest.readSlice(length: min(rest.readableBytes, Self.pieceBytes)), piece.readableBytes > 0 {
            write(piece)
        }
    }

    func wait(_ published: PublishedEvent) -> Bool {
        let queue =
            waiting
            ?? OutboundQueue(
                writer: writer,
                maximumBytes: shard.hub.configuration.pendingBytesPerSession,
                maximumSignals: shard.hub.configuration.pendingSignalsPerChannel,
                counters: counters
            )
        waiting = queue
        return queue.append(published)
    }
}
