import AsyncHTTPClient
import Foundation
import NIOCore
import NIOHTTP1
import TidingsClient
import TidingsWire

/// What is to be looked at.
struct DoctorQuestion: Sendable {
    var url: String
    var channel: ChannelName
    /// The page that wants to connect; nil: none does.
    var origin: String?
    var token: String?
    var connector: WebSocketConnector
    var publishes = true
    var patience: Duration = .seconds(5)
}

/// Looks at a server from outside, one thing after the other, and says what is wrong.
struct Examination {
    private let question: DoctorQuestion
    private let endpoint: WebSocketEndpoint
    private let report: (Finding) -> Void
    private var isHealthy = true

    /// - Parameter report: Called with each finding as soon as it is known.
    init(_ question: DoctorQuestion, report: @escaping (Finding) -> Void) throws(BroadcastClientError) {
        self.question = question
        self.report = report
        endpoint = try WebSocketEndpoint(question.url)
    }

    /// Looks at everything.
    ///
    /// - Returns: Whether nothing is wrong.
    mutating func run() async -> Bool {
        guard let session = await open() else {
            skip([.origin, .readiness, .authentication, .ping, .subscription, .broadcast], "there is no connection")
            return false
        }
        defer { session.close() }
        await checkOrigin()
        await checkReadiness()
        guard await checkIdentity(session) else {
            skip([.ping, .subscription, .broadcast], "the server does not know who this is")
            return false
        }
        if await checkSubscription(session) {
            await checkBroadcast(session)
        } else {
            skip([.broadcast], "nothing would be heard")
        }
        return isHealthy
    }

    private mutating func tell(_ check: Finding.Check, _ result: Finding.Result) {
        let finding = Finding(check: check, result: result)
        if finding.isWrong { isHealthy = false }
        report(finding)
    }

    private mutating func skip(_ checks: [Finding.Check], _ reason: String) {
        for check in checks { tell(check, .skipped(reason)) }
    }
}

// MARK: - Getting in

extension Examination {
    private var isSecure: Bool { question.url.lowercased().hasPrefix("wss:") }

    private var headers: [(name: String, value: String)] {
        question.token.map { [("Authorization", "Bearer \($0)")] } ?? []
    }

    private mutating func open() async -> DoctorSession? {
        do {
            let session = try await DoctorSession.open(
                endpoint,
                question.connector,
                headers: headers,
                patience: question.patience
            )
            tell(.connection, .fine("somebody listens"))
            tell(.certificate, isSecure ? .fine("trusted") : .skipped("no TLS with ws://"))
            tell(.upgrade, .fine("a WebSocket"))
            return session
        } catch {
            let (check, problem) = Problem.opening(error, isSecure: isSecure)
            if check != .connection { tell(.connection, .fine("somebody listens")) }
            if check == .upgrade { tell(.certificate, isSecure ? .fine("trusted") : .skipped("no TLS with ws://")) }
            tell(check, .wrong(problem))
            let later: [Finding.Check] = [.certificate, .upgrade]
            if check != .upgrade { skip(check == .connection ? later : [.upgrade], "there is no connection") }
            return nil
        }
    }

    /// As a page would connect.
    private mutating func checkOrigin() async {
        guard let origin = question.origin else { return tell(.origin, .skipped("name a page with --origin")) }
        do {
            let session = try await DoctorSession.open(
                endpoint,
                question.connector,
                headers: headers + [("Origin", origin)],
                patience: question.patience
            )
            session.close()
            tell(.origin, .fine("pages of \(origin) may connect"))
        } catch {
            tell(.origin, .wrong(Problem.opening(error, isSecure: isSecure).1))
        }
    }

    private mutating func checkReadiness() async {
        var configuration = HTTPClient.Configuration()
        configuration.tlsConfiguration = question.connector.tls
        let client = HTTPClient(configuration: configuration)
        let result = await readiness(with: client)
        try? await client.shutdown()
        tell(.readiness, result)
    }

    private func readiness(with client: HTTPClient) async -> Finding.Result {
        struct Answer: Decodable {
            let detail: String?
        }
        do {
            let request = HTTPClientRequest(url: try ServerURL(question.url).route("/readyz"))
            let response = try await client.execute(request, timeout: .seconds(5))
            let body = try await response.body.collect(upTo: 1 << 20)
            guard response.status != .ok else { return .fine("the server can do its work") }
            guard response.status == .serviceUnavailable else { return .skipped("there is no /readyz here") }
            let detail = (try? JSONDecoder().decode(Answer.self, from: Data(body.readableBytesView)))?.detail
            return .wrong(
                Problem(
                    "not_ready",
                    "/readyz says: \(detail ?? "not ready")",
                    "Look at the server's log for that part."
                )
            )
        } catch {
            return .skipped("there is no answer from /readyz")
        }
    }
}

// MARK: - Speaking

extension Examination {
    private enum Identified: Sendable {
        case pong
        case problem(Problem)
    }

    /// Whether the server speaks with this client: its pong says so.
    private mutating func checkIdentity(_ session: DoctorSession) async -> Bool {
        session.send(ClientMessage(id: 1, ping: 1))
        let token = question.token
        let answer = await session.first { incoming -> Identified? in
            switch incoming {
            case .message(.reply(let reply)) where reply.pong == 1: .pong
            case .message(.error(let error, _)): .problem(.unidentified(error.message, token: token))
            case .closed(.notAuthenticated, let reason), .closed(.tokenExpired, let reason):
                .problem(.unidentified(reason, token: token))
            case .closed(let code, let reason): .problem(.closed(code, reason))
            default: nil
            }
        }
        switch answer {
        case .pong:
            tell(
                .authentication,
                .fine(token == nil ? "the server asks for no token" : "the token is good, or not asked for")
            )
            tell(.ping, .fine("answered"))
            return true
        case .problem(let problem): tell(.authentication, .wrong(problem))
        case nil:
            tell(.authentication, .wrong(.silent))
        }
        return false
    }

    private mutating func checkSubscription(_ session: DoctorSession) async -> Bool {
        session.send(ClientMessage(id: 2, subscribe: [question.channel]))
        let channel = question.channel
        let answer = await session.first { incoming -> Finding.Result? in
            switch incoming {
            case .message(.reply(let reply)) where reply.id == 2:
                reply.refused.first.map { .wrong(.notSubscribed($0, channel)) } ?? .fine("\(channel) is heard")
            case .message(.error(let error, _)): .wrong(.notSubscribed(error, channel))
            case .closed(let code, let reason): .wrong(.closed(code, reason))
            default: nil
            }
        }
        tell(.subscription, answer ?? .wrong(.silent))
        if case .fine = answer { return true }
        return false
    }

    private mutating func checkBroadcast(_ session: DoctorSession) async {
        guard question.publishes else { return tell(.broadcast, .skipped("--no-publish")) }
        let (channel, mark) = (question.channel, UUID().uuidString)
        let payload: EventPayload = ["entity_id": .string(mark)]
        session.send(ClientMessage(id: 3, publish: PublishRequest(channel: channel, name: "checked", payload: payload)))
        let start = ContinuousClock.now
        let answer = await session.first { incoming -> Finding.Result? in
            switch incoming {
            case .message(.event(let event)) where event.payload.entityID == mark:
                .fine("heard after \((ContinuousClock.now - start).formatted(.units(allowed: [.milliseconds])))")
            case .message(.reply(let reply)) where reply.id == 3:
                reply.refused.first.map { .wrong(.notPublished($0, channel)) }
            case .message(.error(let error, _)): .wrong(.notPublished(error, channel))
            case .closed(let code, let reason): .wrong(.closed(code, reason))
            default: nil
            }
        }
        tell(.broadcast, answer ?? .wrong(.notHeard(channel)))
    }
}
