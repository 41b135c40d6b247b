import FoundationEssentials
public import Hummingbird
import NIOCore
public import TidingsBroadcast
import TidingsWire

extension RouterMethods {
    /// Adds what operators need, without asking who they are: `GET /broadcast/stats`, `GET /metrics` and
    /// `DELETE /broadcast/sessions`.
    ///
    /// For a router of an address that only operators reach, or for a group with middleware that lets only operators
    /// pass:
    ///
    /// ```swift
    /// let administration = Router()
    /// administration.addBroadcastAdministration(of: broadcast)
    /// let operators = Application(
    ///     router: administration,
    ///     configuration: .init(address: .hostname("127.0.0.1", port: 9090))
    /// )
    /// ```
    ///
    /// - Parameters:
    ///   - broadcast: Whose sessions.
    ///   - feeds: The feeds that are told there.
    ///   - metrics: What else is shown at `GET /metrics`.
    public func addBroadcastAdministration(
        of broadcast: WebSocketBroadcastBackend,
        feeds: FeedRegistry? = nil,
        metrics: PrometheusMetrics? = nil
    ) {
        let administration = BroadcastAdministration(broadcast: broadcast)
        administration.addStats(at: "/broadcast/stats", to: self) { _ in }
        administration.addSessions(at: "/broadcast/sessions", to: self) { _ in }
        BroadcastMetrics(broadcast: broadcast, feeds: feeds, others: metrics).add(at: "/metrics", to: self) { _ in }
    }
}

/// The routes for operators.
struct BroadcastAdministration {
    private static let maximumBodyBytes = 4096

    let broadcast: WebSocketBroadcastBackend

    /// - Parameter check: Throws if the request may not be answered.
    func addStats(
        at path: RouterPath,
        to router: some RouterMethods,
        check: @escaping @Sendable (Request) throws -> Void
    ) {
        let hub = broadcast.hub
        router.get(path) { request, _ in
            try check(request)
            let channels = hub.channels.map { ($0.key.rawValue, $0.value) }
            return try Response.json(
                Stats(connections: hub.connectionCount, channels: Dictionary(channels, uniquingKeysWith: +))
            )
        }
    }

    /// - Parameter check: Throws if the request is none of an operator.
    func addSessions(
        at path: RouterPath,
        to router: some RouterMethods,
        check: @escaping @Sendable (Request) throws -> Void
    ) {
        let hub = broadcast.hub
        router.delete(path) { request, _ in
            try check(request)
            guard let subject = request.uri.queryParameters.get("subject"), !subject.isEmpty else {
                throw Problem(.badRequest, code: "bad_request", detail: "Name the subject: ?subject=…")
            }
            let end = try Self.end(in: try await request.body.collect(upTo: Self.maximumBodyBytes))
            return try Response.json(Closed(closed: await hub.closeSessions(of: subject, keepingOutUntil: end)))
        }
    }

    /// Until when the subject stays out; nil if the body does not say.
    private static func end(in body: ByteBuffer) throws -> Date? {
        guard body.readableBytes > 0 else { return nil }
        guard let request = try? JSONDecoder().decode(KeepOut.self, from: Data(body.readableBytesView)) else {
            throw Problem(.badRequest, code: "bad_json", detail: #"The body is {"until": "<time>"}, or there is none."#)
        }
        guard let until = request.until else { return nil }
        guard let end = Timestamp.date(until) else {
            throw Problem(
                .unprocessableContent,
                code: "bad_time",
                detail: #""until" takes a time as RFC 3339 writes it, such as 2026-01-02T03:04:05Z."#
            )
        }
        return end
    }

    private struct Stats: Encodable {
        let connections: Int
        let channels: [String: Int]
    }

    private struct Closed: Encodable {
        let closed: Int
    }

    private struct KeepOut: Decodable {
        let until: String?
    }
}
