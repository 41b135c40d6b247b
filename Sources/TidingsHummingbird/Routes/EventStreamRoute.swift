import Hummingbird
import NIOCore
import TidingsBroadcast
import TidingsWire

/// `GET /sse/broadcast`: what happens on channels, as server-sent events.
///
/// A browser gives up an event source that is answered with anything but 200, so what can be said inside of the stream is
/// said there: only a request of which nothing can be done is refused.
struct EventStreamRoute {
    let hub: BroadcastHub
    let endpoints: BroadcastEndpoints

    func add(to router: Router<some RequestContext>) {
        guard let path = endpoints.eventStreamPath else { return }
        router.get(path) { request, _ in try await respond(to: request) }
    }

    private func respond(to request: Request) async throws -> Response {
        guard let attempt = UpgradeAttempt.current else { throw Self.notHere }
        try endpoints.allowedOrigins.check(request)
        if let refusal = hub.refusal { throw Problem(refusal) }
        let parameters = try QueryString.parameters(of: request.uri.query)
        let channels = try channels(in: parameters)
        let token = BearerToken.token(in: request, of: attempt, cookie: endpoints.tokenCookie)
        let identity = try await hub.identity(bearing: token)
        if let identity, let code = hub.refusal(of: identity.subject) { throw Problem(refusal: code) }
        let opening = await hub.eventStreamOpening(
            hearing: channels,
            after: request.headers[.lastEventID] ?? parameters.last { $0.name == "since" }?.value,
            identity: identity
        )
        guard !opening.granted.isEmpty else { throw Self.forbidden }
        let hub = hub
        return attempt.stream(headers: Self.headers) { eventLoop, hasTLS, head in
            hub.makeEventStreamHandler(on: eventLoop, opening: opening, head: head, writesDirectly: !hasTLS)
        }
    }

    private func channels(in parameters: [(name: String, value: String)]) throws -> [ChannelName] {
        let names = parameters.filter { $0.name == "channel" }.map(\.value)
        guard !names.isEmpty else {
            throw Problem(.badRequest, code: "bad_request", detail: "Name the channels: ?channel=order&channel=table:7")
        }
        do {
            return try names.map { try ChannelName($0) }
        } catch let error as WireError {
            throw Problem(.badRequest, code: error.code.rawValue, detail: error.message)
        }
    }

    /// Nobody keeps a stream, and nobody on the way collects it.
    private static let headers: HTTPFields = [
        .contentType: EventStreamText.mediaType, .cacheControl: "no-store", .accelBuffering: "no",
    ]

    private static let forbidden = Problem(
        .forbidden,
        code: "forbidden",
        detail: "The token, or the server's policy, allows none of these channels."
    )

    private static let notHere = Problem(
        .notFound,
        code: "not_found",
        detail: "Streams are served at this path, written as it is configured, over HTTP/1.1."
    )
}

extension Problem {
    /// A subject that is not welcome now.
    fileprivate init(refusal code: CloseCode) {
        switch code {
        case .connectionLimit:
            self.init(
                .tooManyRequests,
                code: "connection_limit",
                detail: "The subject has as many connections as it may. Close one, or come back later.",
                headers: [.retryAfter: "20"]
            )
        default:
            self.init(.forbidden, code: "kept_out", detail: "An operator keeps this subject out.")
        }
    }
}
