import NIOCore

/// The two connections of a node: one for commands, one for what is published. They are made together and end together, so
/// there is one answer to whether Redis is there. Stays on its loop.
final class RedisLink {
    let endpoint: RedisEndpoint
    let commands: RedisConnection
    let subscriptions: RedisConnection
    /// The digests by which Redis knows the scripts.
    private var digests: [String: String] = [:]
    private(set) var failure: RedisError?
    private let ended: (RedisError) -> Void

    /// - Parameter ended: Called once with the reason when either connection ends.
    init(
        to endpoint: RedisEndpoint,
        commands: RedisConnection,
        subscriptions: RedisConnection,
        ended: @escaping (RedisError) -> Void
    ) {
        self.endpoint = endpoint
        self.commands = commands
        self.subscriptions = subscriptions
        self.ended = ended
        for connection in [commands, subscriptions] {
            connection.ended = { [weak self] in self?.end($0) }
            if let failure = connection.failure { end(failure) }
        }
    }

    /// Ends both connections.
    ///
    /// - Parameter refusesRest: Whether the reason is the answer to a command, and that of all which wait for theirs.
    func end(_ reason: RedisError, refusesRest: Bool = false) {
        guard failure == nil else { return }
        failure = reason
        commands.end(reason, refusesRest: refusesRest)
        subscriptions.end(reason)
        ended(reason)
    }

    /// Makes Redis know the scripts.
    ///
    /// - Parameter completed: Called when it does; never if it does not, and then the link has ended.
    func load(_ scripts: [String], completed: @escaping () -> Void) {
        for script in scripts {
            commands.send(RESPCommand("SCRIPT", "LOAD", script)) { [weak self] answer in
                guard let self else { return }
                do throws(RedisError) {
                    digests[script] = try answer.text
                } catch {
                    return end(error)
                }
                if digests.count == scripts.count { completed() }
            }
        }
    }

    /// Runs a script. One that Redis has forgotten is sent along, which makes Redis know it again.
    ///
    /// - Parameters:
    ///   - keys: What it is about.
    ///   - arguments: What it is given.
    ///   - answer: Gets what it says. What is sent first runs first, unless Redis has forgotten it.
    func run(
        _ script: String,
        keys: [String],
        arguments: [[UInt8]],
        answer: @escaping (Result<RESPValue, RedisError>) -> Void
    ) {
        guard let digest = digests[script] else {
            return evaluate("EVAL", script, keys, arguments, answer)
        }
        evaluate("EVALSHA", digest, keys, arguments) { [weak self] result in
            guard let self, case .success(.error(let refusal)) = result, refusal.code == "NOSCRIPT" else {
                return answer(result.flatMap(\.refusal))
            }
            evaluate("EVAL", script, keys, arguments) { answer($0.flatMap(\.refusal)) }
        }
    }

    private func evaluate(
        _ name: String,
        _ script: String,
        _ keys: [String],
        _ arguments: [[UInt8]],
        _ answer: @escaping (Result<RESPValue, RedisError>) -> Void
    ) {
        let size = keys.reduce(0) { $0 + $1.utf8.count + 8 } + arguments.reduce(0) { $0 + $1.count + 8 }
        var command = RESPCommand(count: 3 + keys.count + arguments.count, capacity: size + script.utf8.count + 64)
        for part in [name, script, "\(keys.count)"] + keys { command.append(part.utf8) }
        for argument in arguments { command.append(argument) }
        commands.send(command, answer: answer)
    }
}

extension RESPValue {
    /// The value, unless the server refuses.
    var refusal: Result<RESPValue, RedisError> {
        if case .error(let refusal) = self { return .failure(RedisError(refusal)) }
        return .success(self)
    }
}

extension Result where Success == RESPValue, Failure == RedisError {
    /// The text of an answer that has to be one.
    var text: String {
        get throws(RedisError) {
            guard let text = try get().refusal.get().string else {
                throw RedisError(.badReply, "Redis has answered with something else than a text.")
            }
            return text
        }
    }
}
