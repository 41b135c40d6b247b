import NIOCore

/// One connection to a Redis: commands out, their answers in the same order, and what is said without being asked.
///
/// Lives on its channel's event loop, and everything here is called on it. Which client is underneath is nobody's business
/// but this file's and the connector's.
final class RedisConnection: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer
    typealias Answer = (Result<RESPValue, RedisError>) -> Void

    private var parser: RESPParser
    private var context: ChannelHandlerContext?
    private var awaited = CircularBuffer<Answer>()
    private var isFlushDue = false
    /// Why the connection has ended; nil while it has not.
    private(set) var failure: RedisError?
    /// Hears what is said without being asked, all that one read brings at once.
    var received: ([[RESPValue]]) -> Void = { _ in }
    /// Hears, once, why the connection has ended. Every command has its answer by then.
    var ended: (RedisError) -> Void = { _ in }

    init(limits: RESPLimits = RESPLimits()) {
        parser = RESPParser(limits: limits)
    }

    /// Commands without an answer.
    var awaitedCount: Int { awaited.count }

    /// Sends a command. What is sent in one turn of the loop goes out together.
    ///
    /// - Parameter answer: Gets the answer, or why there is none. Nil for commands that are answered by what is received.
    func send(_ command: RESPCommand, answer: Answer? = nil) {
        guard let context, failure == nil else {
            answer?(.failure(failure ?? RedisError(.disconnected, "The connection to Redis is not made.")))
            return
        }
        if let answer { awaited.append(answer) }
        context.write(wrapOutboundOut(command.buffer), promise: nil)
        guard !isFlushDue else { return }
        isFlushDue = true
        context.eventLoop.assumeIsolated().execute {
            self.isFlushDue = false
            self.context?.flush()
        }
    }

    /// Ends the connection. Those who wait for an answer are told why: that the connection was lost, since what they have
    /// asked for may have been done, whatever the reason is.
    ///
    /// - Parameter refusesRest: Whether the reason is an answer of the server's on this connection, and the same one as all
    ///   that wait would get.
    func end(_ reason: RedisError, refusesRest: Bool = false) {
        guard failure == nil else { return }
        failure = reason
        let waiting = awaited
        awaited = []
        let fate = refusesRest ? reason : reason.withoutAnswer
        for answer in waiting { answer(.failure(fate)) }
        context?.close(promise: nil)
        ended(reason)
        (received, ended) = ({ _ in }, { _ in })
    }
}

// MARK: - The channel

extension RedisConnection {
    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        end(RedisError(.disconnected, "The connection to Redis was lost."))
        self.context = nil
    }

    func channelInactive(context: ChannelHandlerContext) {
        end(RedisError(.disconnected, "The connection to Redis was lost."))
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        end(RedisError(.disconnected, "The connection to Redis failed.", cause: error))
        context.close(promise: nil)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard failure == nil else { return }
        var buffer = unwrapInboundIn(data)
        parser.append(&buffer)
        var messages: [[RESPValue]] = []
        do throws(RESPError) {
            while failure == nil, let value = try parser.next() { take(value, &messages) }
        } catch {
            end(RedisError(.badReply, "What answers is no Redis, or not as it should be.", cause: error))
        }
        if !messages.isEmpty, failure == nil { received(messages) }
    }

    /// An array that nobody waits for is how RESP2 says what was not asked for.
    private func take(_ value: RESPValue, _ messages: inout [[RESPValue]]) {
        switch value {
        case .push(let elements):
            messages.append(elements)
        case .array(let elements) where awaited.isEmpty:
            messages.append(elements)
        case .error(let refusal) where awaited.isEmpty:
            end(RedisError(refusal))
        default:
            guard let answer = awaited.popFirst() else {
                return end(RedisError(.badReply, "Redis has answered what was not asked."))
            }
            answer(.success(value))
        }
    }
}
