import Hummingbird
import Logging
import NIOCore
import TidingsBroadcast
import TidingsEntities
import TidingsWire

/// `POST /broadcast`: publishes events for services that have no connection of their own.
///
/// Nothing is published of a request of which something may not be. What is published goes to the backend, as if the
/// server's own code had broadcast it.
struct PublishRoute {
    private let broadcast: WebSocketBroadcastBackend
    private let endpoints: BroadcastEndpoints
    private let table: PublishingTable
    private let rates: PublishingRates

    init(broadcast: WebSocketBroadcastBackend, endpoints: BroadcastEndpoints) {
        self.broadcast = broadcast
        self.endpoints = endpoints
        table = PublishingTable(limits: endpoints.publishing)
        rates = PublishingRates(limits: endpoints.publishing)
    }

    private var hub: BroadcastHub { broadcast.hub }

    func add(to router: Router<some RequestContext>) {
        guard let path = endpoints.publishPath else { return }
        router.post(path) { request, context in try await respond(to: request, context.logger) }
    }

    private func respond(to request: Request, _ logger: Logger) async throws -> Response {
        let token = BearerToken.token(of: request, cookie: endpoints.tokenCookie)
        let identity = try await hub.identity(bearing: token)
        let key = try request.token(in: .idempotencyKey, atMost: EntityRequest.maximumKeyCharacters)
        let body = try await request.jsonBody(atMost: endpoints.publishing.bodyBytes)
        let events = try PublishedEvents.read(body, atMost: endpoints.publishing.events)
        try await check(events, identity)
        if let wait = rates.wait(for: events.count, of: identity?.subject ?? "") { throw limited(for: wait) }
        guard let key else { return Self.answer(try await publish(events, after: [], logger)) }
        let name = PublishingTable.Key(subject: identity?.subject ?? "", key: key)
        let fingerprint = Fingerprint.text(body)
        guard !broadcast.publishesOnce else {
            return Self.answer(try await publish(events, once: name, fingerprint, logger))
        }
        switch table.begin(name, fingerprint: fingerprint) {
        case .answer(let positions): return Self.answer(positions)
        case .isRunning: throw Self.isRunning
        case .isReused: throw Self.isReused
        case .publish(let known):
            let positions = try await publish(events, after: known, logger) { positions, isDone in
                table.end(name, positions, isDone: isDone)
            }
            return Self.answer(positions)
        }
    }

    /// - Parameter ended: Called with what was published, and whether that is all.
    private func publish(
        _ events: [BroadcastEvent],
        after known: [EventPosition],
        _ logger: Logger,
        ended: ([EventPosition], Bool) -> Void = { _, _ in }
    ) async throws -> [EventPosition] {
        var positions = known
        do {
            for event in events.dropFirst(known.count) { positions.append(try await broadcast.publish(event)) }
            ended(positions, true)
            return positions
        } catch {
            ended(positions, false)
            throw Self.interrupted(error, after: positions.count, logger)
        }
    }

    /// Where the backend knows what was published before, on whichever node.
    private func publish(
        _ events: [BroadcastEvent],
        once name: PublishingTable.Key,
        _ fingerprint: String,
        _ logger: Logger
    ) async throws -> [EventPosition] {
        // No subject has a key of another one's, whatever is in them.
        let request = "\(name.subject.utf8.count):\(name.subject):\(name.key)"
        let retention = endpoints.publishing.answerRetention
        var positions: [EventPosition] = []
        do {
            for (index, event) in events.enumerated() {
                let key = PublishingKey(request: request, fingerprint: fingerprint, index: index, retention: retention)
                positions.append(try await broadcast.publish(event, once: key))
            }
            return positions
        } catch let error as BroadcastError where error.code == .keyReused {
            throw Self.isReused
        } catch {
            throw Self.interrupted(error, after: positions.count, logger)
        }
    }

    private func check(_ events: [BroadcastEvent], _ identity: Identity?) async throws {
        var allowed: Set<ChannelName> = []
        for event in events where !allowed.contains(event.channel) {
            guard await hub.mayPublish(on: event.channel, identity: identity) else {
                throw Self.forbidden("This token may not publish on this channel.", event.channel)
            }
            allowed.insert(event.channel)
        }
        for event in events {
            do throws(BroadcastError) {
                try hub.checkPublishable(event)
            } catch {
                guard error.code == .payloadTooLarge else {
                    let detail = "What happens on this channel is told by the server alone: change what it is about."
                    throw Self.forbidden(detail, event.channel)
                }
                throw Problem(.contentTooLarge, code: "too_large", detail: error.message)
            }
        }
    }
}

// MARK: - Answers

extension PublishRoute {
    private func limited(for wait: TimeAmount) -> Problem {
        let limits = endpoints.publishing
        return Problem(
            .tooManyRequests,
            code: "rate_limited",
            detail:
                "At most \(limits.eventsPerSecond) events a second are published, \(limits.eventBurst) of them at once. "
                + "Send this again later.",
            headers: [.retryAfter: wait.retryAfter]
        )
    }

    private static func answer(_ positions: [EventPosition]) -> Response {
        let body = JSONNode.members(["positions": .array(positions.map { .string($0.description) })])
        var headers: HTTPFields = [.contentType: "application/json", .cacheControl: "no-store"]
        headers[.tidingsPosition] = positions.last?.description
        return Response(status: .accepted, headers: headers, body: ResponseBody(json: body))
    }

    private static func forbidden(_ detail: String, _ channel: ChannelName) -> Problem {
        var problem = Problem(.forbidden, code: "forbidden", detail: detail)
        problem.members = [.init("channel", .string(channel.rawValue))]
        return problem
    }

    private static func interrupted(_ error: any Error, after count: Int, _ logger: Logger) -> Problem {
        let reason = (error as? BroadcastError)?.message ?? "\(type(of: error))"
        logger.error("events could not be published", metadata: ["error": "\(reason)"])
        var problem = unavailable
        problem.members = [.init("published", .integer(count))]
        return problem
    }

    private static let isRunning = Problem(
        .conflict,
        code: "in_progress",
        detail: "The same request is being answered. Send it again in a moment.",
        headers: [.retryAfter: "1"]
    )

    private static let isReused = Problem(
        .unprocessableContent,
        code: "idempotency_key_reused",
        detail: "This idempotency key came with another request. Take a new one for each."
    )

    private static let unavailable = Problem(
        .serviceUnavailable,
        code: "unavailable",
        detail: "Not all events could be published. Send them again with the same Idempotency-Key.",
        headers: [.retryAfter: "1"]
    )
}
