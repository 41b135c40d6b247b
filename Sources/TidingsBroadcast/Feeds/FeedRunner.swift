import FoundationEssentials
import Logging
import Synchronization
import TidingsWire

/// Something that tells a feed's values until its task is cancelled.
protocol RunnableFeed: Sendable {
    var status: FeedStatus { get }
    func run() async
}

/// What the feeds of a registry have in common.
struct FeedEnvironment: Sendable {
    let broadcast: WebSocketBroadcastBackend
    let describe: @Sendable (any Error) -> String
    /// The time since some moment.
    let now: @Sendable () -> Duration
    let sleep: @Sendable (Duration) async throws -> Void
    /// A number from 0 to 1.
    let chance: @Sendable () -> Double
    let logger: Logger

    var hub: BroadcastHub { broadcast.hub }
}

/// Asks for the values of one feed, decides which are told, and tells them, one at a time.
final class FeedRunner<Value: Codable & Sendable>: RunnableFeed {
    private typealias Memory = FeedMemory<Value>

    let name: FeedName
    private let form: FeedForm<Value>
    private let environment: FeedEnvironment
    private let schedule: Mutex<FeedSchedule>
    private let memory: Mutex<Memory>
    private let counts: Mutex<FeedStatus>
    /// Whoever tells a value has the turn until the hub has it: so the one that is told last is the newest.
    private let turn = AsyncLimiter(limit: 1)

    init(_ name: FeedName, _ form: FeedForm<Value>, times: FeedSchedule.Times, _ environment: FeedEnvironment) {
        self.name = name
        self.form = form
        self.environment = environment
        schedule = Mutex(FeedSchedule(times: times, onlyWithListeners: form.onlyWithListeners))
        memory = Mutex(Memory(isSignificant: form.isSignificant, decode: Self.decode))
        counts = Mutex(FeedStatus(name: name))
    }

    var status: FeedStatus {
        var status = counts.withLock { $0 }
        status.listeners = environment.hub.subscriberCount(of: name.channel)
        return status
    }

    private var hasListeners: Bool { environment.hub.subscriberCount(of: name.channel) > 0 }

    private var newest: Memory.Newest {
        get async {
            do {
                return Memory.Newest(try await environment.hub.newestEvent(of: name.channel))
            } catch {
                return .unknown
            }
        }
    }

    /// As far as it is known without asking.
    private var newestHere: Memory.Newest { Memory.Newest(environment.hub.snapshot(of: name.channel)) }
}

// MARK: - Polling

extension FeedRunner {
    /// Polls when it is time, until the task is cancelled.
    func run() async {
        environment.hub.feeds.started(name)
        guard let poll = form.poll else { return }
        while !Task.isCancelled {
            let (now, hasListeners) = (environment.now(), hasListeners)
            switch schedule.withLock({ $0.next(at: now, hasListeners: hasListeners) }) {
            case .poll: await ask(poll)
            case .wait(let time): try? await environment.sleep(time)
            case .waitForListeners: await environment.hub.feeds.waitForListeners { self.hasListeners }
            }
        }
    }

    private func ask(_ poll: FeedForm<Value>.Poll) async {
        counts.withLock { $0.polls += 1 }
        do {
            let newest = await newest
            let mark = memory.withLock { $0.mark(newest: newest) }
            let value = try await poll()
            try await tell(value, since: mark)
            counts.withLock { $0.isFailing = false }
            schedule.withLock { $0.succeeded(at: environment.now(), chance: environment.chance()) }
        } catch {
            // What a cancelled source throws is no failure of it.
            if !Task.isCancelled { failed(error) }
        }
    }

    private func failed(_ error: any Error) {
        counts.withLock { counts in
            counts.failures += 1
            counts.isFailing = true
        }
        let delay = schedule.withLock { $0.failed(at: environment.now(), chance: environment.chance()) }
        environment.hub.failed(error, code: "feed_failed", "The source of the feed \(name) failed.")
        environment.logger.error(
            "a feed failed; it is asked again",
            metadata: ["feed": "\(name)", "error": "\(environment.describe(error))", "after": "\(delay)"]
        )
    }
}

// MARK: - Telling

extension FeedRunner {
    func send(_ value: Value) async throws {
        let payload = try payload(of: value)
        memory.withLock { $0.sendBegan() }
        try await turn.run {
            // Where every event is told, nobody need be asked.
            let newest = form.isSignificant == nil ? newestHere : await newest
            let verdict = memory.withLock { $0.verdict(onSent: value, newest: newest) }
            if verdict == .tell { try await broadcast(value, payload, newest) }
        }
    }

    /// Tells what a poll found, if it is to be told.
    private func tell(_ value: Value, since mark: FeedMemory<Value>.Mark) async throws {
        let payload = try payload(of: value)
        try await turn.run {
            let newest = await newest
            switch memory.withLock({ $0.verdict(on: value, payload, since: mark, newest: newest) }) {
            case .tell: try await broadcast(value, payload, newest)
            case .overtaken: counts.withLock { $0.overtaken += 1 }
            case .unchanged, .insignificant: break
            }
        }
    }

    private func broadcast(_ value: Value, _ payload: EventPayload, _ newest: FeedMemory<Value>.Newest) async throws {
        let event = BroadcastEvent(channel: name.channel, name: FeedName.eventName, payload: payload)
        try await environment.broadcast.broadcast(event)
        memory.withLock { $0.told(value, payload, newest: newest) }
        counts.withLock { $0.broadcasts += 1 }
        environment.logger.debug("broadcast", metadata: ["feed": "\(name)", "bytes": "\(payload.json.count)"])
    }
}

// MARK: - Values

extension FeedRunner {
    private struct Envelope<Content: Codable>: Codable {
        let data: Content
    }

    /// Sorted, so that the same value has the same bytes on every node.
    private func payload(of value: Value) throws -> EventPayload {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        encoder.dateEncodingStrategy = .iso8601
        do {
            let payload = try EventPayload(encoding: Envelope(data: value), encoder: encoder)
            if let fault = form.frame.fault(in: payload) { throw FeedError(.badValue, fault) }
            return payload
        } catch let error as FeedError {
            throw error
        } catch {
            throw FeedError(.badValue, "The value of \(name) cannot be written as JSON.", cause: error)
        }
    }

    private static func decode(_ payload: EventPayload) -> Value? {
        let decoder = JSONDecoder()
        decoder.dateDecodingStrategy = .iso8601
        return try? payload.decode(Envelope<Value>.self, decoder: decoder).data
    }
}

extension FeedMemory.Newest {
    fileprivate init(_ event: PublishedEvent?) {
        self = event.map { .event(position: $0.position, payload: $0.event.payload) } ?? .nothing
    }
}
