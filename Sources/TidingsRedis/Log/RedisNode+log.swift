import NIOCore
import TidingsBroadcast
import TidingsWire

// What the log says to those who come back.
extension RedisNode {
    /// Where the log stands, when everything up to there was heard here.
    func askForHead(_ promise: EventLoopPromise<EventPosition>) {
        guard connected != nil else { return promise.fail(unavailable) }
        askingForHead.append(promise)
        publishBarrier()
    }

    /// What happened on a channel after a position.
    func read(
        _ channel: ChannelName,
        after position: EventPosition,
        atMost limit: Int,
        _ promise: EventLoopPromise<EventReplay>
    ) {
        guard let link = connected else { return promise.fail(unavailable) }
        let count = min(max(limit, 0), 100_000) + 1
        let arguments = [configuration.makeName(), position.epoch, "\(position.offset)", "\(count)", "\(historySpan)"]
        link.run(
            RedisScripts.read,
            keys: [names.log, names.stream(channel), names.past(channel)],
            arguments: arguments.map { Array($0.utf8) }
        ) { result in
            do throws(RedisError) {
                promise.succeed(try Self.replay(try result.get(), on: channel, atMost: count - 1))
            } catch {
                promise.fail(BroadcastError(.unavailable, "Redis could not be asked what happened.", cause: error))
            }
        }
    }

    /// The newest event of a channel.
    func readNewest(_ channel: ChannelName, _ promise: EventLoopPromise<BroadcastEvent?>) {
        guard let link = connected else { return promise.fail(unavailable) }
        link.run(RedisScripts.newest, keys: [names.log, names.stream(channel)], arguments: []) { result in
            do throws(RedisError) {
                let parts = try result.get().elements ?? []
                guard parts.count == 2, let epoch = parts[0].string else { return promise.succeed(nil) }
                promise.succeed(Self.event(parts[1], on: channel, epoch: epoch))
            } catch {
                promise.fail(BroadcastError(.unavailable, "Redis could not be asked what happened.", cause: error))
            }
        }
    }

    private static func replay(
        _ answer: RESPValue,
        on channel: ChannelName,
        atMost limit: Int
    ) throws(RedisError) -> EventReplay {
        guard let parts = answer.elements, parts.count >= 2, let head = parts[0].string.flatMap({ EventPosition($0) }),
            let kind = parts[1].string
        else { throw RedisError(.badReply, "The log has answered with something else.") }
        guard kind == "events", parts.count == 3, let rows = parts[2].elements else {
            return .notRecoverable(StaleReason(rawValue: kind))
        }
        guard rows.count <= limit else { return .notRecoverable(.gap) }
        var events: [BroadcastEvent] = []
        for row in rows {
            // What cannot be read any more is as good as gone.
            guard let event = event(row, on: channel, epoch: head.epoch) else { return .notRecoverable(.setAside) }
            events.append(event)
        }
        return .events(events, through: head)
    }

    /// An entry of a stream: its identifier, and names and values in turn.
    private static func event(_ row: RESPValue, on channel: ChannelName, epoch: String) -> BroadcastEvent? {
        guard let parts = row.elements, parts.count == 2, let fields = parts[1].elements, fields.count == 4,
            let offset = parts[0].string?.split(separator: "-").first.flatMap({ UInt64($0) }),
            let body = fields[3].bytes,
            var event = try? NodeMessage(json: [UInt8(ascii: "{")] + body, on: channel).event
        else { return nil }
        event.position = EventPosition(epoch: epoch, offset: offset)
        return event
    }
}
