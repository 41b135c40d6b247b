public import Hummingbird
public import TidingsBroadcast

/// Where the broadcast endpoints are and who may use them.
public struct BroadcastEndpoints: Sendable {
    /// The WebSocket endpoint of the plain dialect, and of the extended one for clients that offer it.
    public var webSocketPath: RouterPath = "/ws/broadcast"
    /// The WebSocket endpoint of the topic dialect.
    public var topicWebSocketPath: RouterPath = "/ws"
    /// The WebSocket endpoint of feeds. Served only with ``feeds``.
    public var feedWebSocketPath: RouterPath = "/ws/feeds"
    /// The feeds that clients hear; nil: there are none. They run with the application that has these endpoints, and have
    /// to be of the same broadcast backend.
    public var feeds: FeedRegistry?
    /// Server-sent events: what happens on channels for clients that only read; nil: not served here.
    public var eventStreamPath: RouterPath? = "/sse/broadcast"
    /// Where services publish events with `POST`; nil: not served here. What a client may publish is up to its token and the
    /// hub's policy: nothing, unless one of them says so.
    public var publishPath: RouterPath? = "/broadcast"
    /// How much may be published at once.
    public var publishing = PublishingLimits()
    /// How many clients and channels there are; nil: not served here. With an ``operatorSecret`` it is asked for; without
    /// one the path is served only if the server asks its clients for no tokens either.
    public var statsPath: RouterPath? = "/broadcast/stats"
    /// Where Prometheus reads how the server fares. Served only with ``metrics``, and like the stats: with an
    /// ``operatorSecret`` it is asked for; without one only if the server asks its clients for no tokens either.
    public var metricsPath: RouterPath = "/metrics"
    /// What is shown there besides what the hub counts; nil: there are no metrics here.
    public var metrics: PrometheusMetrics?
    /// Where operators close the sessions of a subject. Served only with an ``operatorSecret``.
    public var sessionsPath: RouterPath = "/broadcast/sessions"
    /// What operators prove themselves with, as `Authorization: Bearer <secret>`; nil: nothing that is for operators only is served
    /// here. For a second, administrative address see ``Hummingbird/RouterMethods/addBroadcastAdministration(of:)``.
    public var operatorSecret: String?
    /// A page for operators that shows how the server fares; nil: there is none. For a second, administrative address see
    /// ``Hummingbird/Application/init(router:console:of:readiness:configuration:services:onServerRunning:eventLoopGroupProvider:logger:)``.
    public var console: Console?
    /// The cookie that may have a client's token; nil: none may. Pages of other origins than the allowed ones cannot
    /// connect with their visitors' cookies.
    public var tokenCookie: String?
    /// Whether the process lives.
    public var healthPath: RouterPath = "/healthz"
    /// Whether the server can do its work.
    public var readinessPath: RouterPath = "/readyz"
    /// Which pages of other origins may connect, change something and read answers.
    public var allowedOrigins: AllowedOrigins = .sameHost
    /// What has to work for the server to be ready. The broadcast backend is checked in any case.
    public var readiness = ReadinessChecks()
    /// How long a connection may take for what.
    public var timeouts = ConnectionTimeouts()

    /// Starts with the paths of the protocol and pages of the same host.
    public init() {}

    /// Where an answer takes its connection over.
    var streamPaths: Set<String> { Set(eventStreamPath.map { [$0.description] } ?? []) }
}

// What ends up in a log has no secret in it, whoever writes it there and however.
extension BroadcastEndpoints: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// Where clients connect, and nothing that is secret.
    public var description: String { "the endpoints of a broadcast server, WebSockets at \(webSocketPath)" }

    /// The same as ``description``.
    public var debugDescription: String { description }

    /// Nothing of what is in it.
    public var customMirror: Mirror { Mirror(self, children: []) }
}

/// How much may be published over HTTP.
public struct PublishingLimits: Sendable {
    /// Events in one request.
    public var events = 100
    /// Events of one subject in a second, on average. Clients that do not say who they are count as one.
    public var eventsPerSecond = 1000
    /// Events of one subject at once.
    public var eventBurst = 2000
    /// Bytes in the body of a request.
    public var bodyBytes = 1024 * 1024
    /// Answers that are kept in memory for requests that come again with the same `Idempotency-Key`. Of more, the oldest
    /// are forgotten.
    public var answers = 10_000
    /// How long an answer is kept.
    public var answerRetention: Duration = .seconds(24 * 3600)

    /// Starts with the limits of the protocol.
    public init() {}
}

/// How long a connection to the server may take for what, so that nobody holds sockets by doing nothing.
public struct ConnectionTimeouts: Sendable {
    /// From accepting a connection to the end of its first request's head and, if that is an upgrade, of the upgrade;
    /// the TLS handshake is in it.
    public var firstRequest: Duration = .seconds(10)
    /// How long a plain HTTP connection may be idle, or stop in the middle of a request.
    public var idle: Duration = .seconds(75)
    /// How long the reader of an event stream may leave bytes unacknowledged until it is taken for gone; whole seconds.
    /// Only where the system has such an option (Linux).
    public var unacknowledged: Duration = .seconds(35)

    /// Starts with the times of the protocol.
    public init() {}
}
