import FoundationEssentials
import NIOCore
import TidingsWire

// A session that is an event stream: the client says nothing after its request, and reads what HTTP calls the body of an
// answer that ends with the connection. Everything else is as on a WebSocket.
extension WebSocketSession {
    var isEventStream: Bool { stream != nil }

    // MARK: Beginning

    /// Sends what the answer begins with. Clients wait for times of their own before they come back, so that those of a
    /// server that restarts do not come back in one moment.
    func beginEventStream() {
        guard isEventStream, let head = opening?.head else { return }
        write(head)
        let retry = Duration.milliseconds(Int.random(in: 1000...5000))
        write(ByteBuffer(bytes: EventStreamText.retry(after: retry)))
    }

    /// Sends what the client missed, in the order of positions, and then up to where it knows its channels now. What cannot
    /// be sent again is `stale`.
    func resumeEventStream(
        _ subscribed: [SubscribedChannel],
        since: [ChannelName: EventPosition],
        missed: [ChannelTurn]
    ) {
        var cursor = EventStreamCursor()
        for channel in subscribed {
            guard let head = channel.position else { continue }
            let known = channel.recovered ? since[channel.channel].flatMap { $0.epoch == head.epoch ? $0 : nil } : nil
            cursor.add(channelOf: shard.hub.logIdentifier(of: channel.channel), since: known, head: head)
            if let since = since[channel.channel], !channel.recovered {
                send(.event(.stale(channel.channel, reason: since.epoch == head.epoch ? .gap : .epoch)))
            }
        }
        stream = cursor
        context?.flush()
        guard deliver(missed.flatMap(\.events).inOrderOfPositions) else { return abort() }
        // Behind what waits nothing more is promised.
        guard waiting == nil, state.phase == .open else { return }
        stream?.reachHeads()
        if let id = stream?.lastEventID { write(ByteBuffer(bytes: EventStreamText.id(id.description))) }
        context?.flush()
    }

    // MARK: Events

    /// Takes what a turn of the loop brought on one channel. Of several channels everything is collected, to be brought
    /// into the order of positions.
    func collect(_ batch: ChannelTurn, isOnly: Bool) -> Remainder {
        if isOnly, isClear, let socket, let context, let first = batch.events.first, let last = batch.events.last,
            stream?.isNew(first.position) == true
        {
            counters.delivered += batch.events.count
            _ = stream?.advance(to: last.position, of: shard.hub.logIdentifier(of: batch.channel))
            return sendDirectly(batch.frames(by: Self.numberedWriter), to: socket, context: context)
        }
        collected += batch.events
        return collected.count == batch.events.count ? .flush : .done
    }

    /// Writes what was collected.
    ///
    /// - Returns: Whether the connection is still of use.
    func flushCollected() -> Bool {
        let events = collected.inOrderOfPositions
        collected = []
        return deliver(events)
    }

    private func deliver(_ events: [PublishedEvent]) -> Bool {
        var buffer = ByteBuffer()
        for (place, event) in events.enumerated() {
            guard state.phase == .open else { return true }
            guard isClear else {
                guard wait(event) else {
                    closeAsTooSlow()
                    return true
                }
                continue
            }
            counters.delivered += 1
            append(event, isLast: events.closesPosition(at: place), to: &buffer)
            guard buffer.readableBytes >= Self.pieceBytes else { continue }
            guard send(buffer) else { return false }
            buffer = ByteBuffer()
        }
        return buffer.readableBytes == 0 || send(buffer)
    }

    private func append(_ event: PublishedEvent, isLast: Bool, to buffer: inout ByteBuffer) {
        let log = shard.hub.logIdentifier(of: event.event.channel)
        guard isLast, stream?.advance(to: event.position, of: log) == true, let stream else {
            buffer.writeImmutableBuffer(event.frame(by: writer))
            return
        }
        if stream.isSingle {
            buffer.writeImmutableBuffer(event.frame(by: Self.numberedWriter))
        } else {
            buffer.writeBytes(EventStreamText.idLine(stream.lastEventID.description))
            buffer.writeImmutableBuffer(event.frame(by: writer))
        }
    }

    /// What comes next of what waits.
    func nextPiece(of queue: OutboundQueue) -> ByteBuffer {
        var buffer = ByteBuffer()
        while let entry = queue.popEntry() {
            // What stands for events that were given up may stand for one of the same position.
            let isLast = queue.firstEntry.map { $0.position != nil && $0.position != entry.position } ?? true
            if let position = entry.position, isLast,
                stream?.advance(to: position, of: shard.hub.logIdentifier(of: entry.channel)) == true, let stream
            {
                buffer.writeBytes(EventStreamText.idLine(stream.lastEventID.description))
            }
            buffer.writeImmutableBuffer(entry.frame)
            if isLast, buffer.readableBytes >= Self.pieceBytes { break }
        }
        return buffer
    }

    static var numberedWriter: FrameWriter { FrameWriter(dialect: .plain, framing: .numberedEventStream) }

    // MARK: Ending

    /// The last words of a stream. When a server drains, its client is told a time of its own to come back.
    func farewell(_ code: CloseCode, reason: String) -> ByteBuffer {
        var text = EventStreamText.comment("\(code.rawValue) \(reason)")
        if code == .draining {
            let window = shard.hub.configuration.drainWindow
            text = EventStreamText.retry(after: window * Double.random(in: 0...1)) + text
        }
        return ByteBuffer(bytes: text)
    }
}

extension BroadcastHub {
    /// Names the log that a channel's events come from.
    func logIdentifier(of channel: ChannelName) -> ObjectIdentifier {
        guard hasRelays, let relay = relay(of: channel) else { return ObjectIdentifier(log) }
        return ObjectIdentifier(relay.memory)
    }
}
