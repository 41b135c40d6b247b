import Testing
import TidingsWire

@testable import TidingsBroadcast

@Suite("What a client may do")
struct GatekeeperTests {
    /// Tokens are subjects.
    private struct Tokens: Authenticator {
        var identities: [String: Identity] = [:]

        func identity(of token: String) async throws(AuthenticationError) -> Identity {
            guard let identity = identities[token] else { throw AuthenticationError(.invalid, "Unknown.") }
            return identity
        }
    }

    private let waiter = Identity(subject: "7", channels: ["order", "order:*"], publishChannels: ["bell"])

    @Test("without an authenticator everything may be heard and nothing published")
    func open() throws {
        let gatekeeper = Gatekeeper(authenticator: nil, policy: ChannelPolicy())
        let verdict = try #require(
            gatekeeper.immediateVerdict(on: .init(token: "anything", subscribe: ["order", "secret"], publish: "bell"))
        )
        #expect(verdict.subscribe == ["order", "secret"])
        #expect(!verdict.mayPublish)
        #expect(verdict.identity == nil)
    }

    @Test("a token's patterns say what may be heard and published")
    func patterns() throws {
        let gatekeeper = Gatekeeper(authenticator: Tokens(), policy: ChannelPolicy(publicChannels: ["menu"]))
        func verdict(_ publish: ChannelName) throws -> Gatekeeper.Verdict {
            try #require(
                gatekeeper.immediateVerdict(
                    on: .init(identity: waiter, subscribe: ["order", "order:1", "user:8", "menu"], publish: publish)
                )
            )
        }
        #expect(try verdict("bell").subscribe == ["order", "order:1", "menu"])
        #expect(try verdict("bell").mayPublish)
        #expect(try !verdict("order").mayPublish)
    }

    @Test("a token without patterns opens the public channels only")
    func noPatterns() throws {
        let gatekeeper = Gatekeeper(authenticator: Tokens(), policy: ChannelPolicy(publicChannels: ["menu:*"]))
        let verdict = try #require(
            gatekeeper.immediateVerdict(on: .init(identity: Identity(subject: "7"), subscribe: ["order", "menu:1"]))
        )
        #expect(verdict.subscribe == ["menu:1"])
    }

    @Test("closures decide where they are given, except about public channels")
    func closures() async throws {
        let policy = ChannelPolicy(publicChannels: ["menu"]) {
            $0?.subject == "7" && $1 == "table:3"
        } mayPublish: {
            $0?.subject == "7" && $1 == "order"
        }
        let gatekeeper = Gatekeeper(authenticator: Tokens(), policy: policy)
        let question = Gatekeeper.Question(
            identity: waiter,
            subscribe: ["menu", "table:3", "order"],
            publish: "order"
        )
        #expect(gatekeeper.immediateVerdict(on: question) == nil)
        #expect(gatekeeper.immediateVerdict(on: .init(identity: waiter, subscribe: ["menu"]))?.subscribe == ["menu"])
        let verdict = try await gatekeeper.verdict(on: question)
        #expect(verdict.subscribe == ["menu", "table:3"])
        #expect(verdict.mayPublish)
    }

    @Test("a fresh token may take channels away, and may not be somebody else's")
    func fresh() async throws {
        let narrower = Identity(subject: "7", channels: ["order"])
        let tokens = Tokens(identities: ["narrower": narrower, "other": Identity(subject: "8", channels: ["*"])])
        let gatekeeper = Gatekeeper(authenticator: tokens, policy: ChannelPolicy(publicChannels: ["menu"]))
        var question = Gatekeeper.Question(token: "narrower", identity: waiter, held: ["order", "order:1", "menu"])
        question.subscribe = ["order:2"]
        #expect(gatekeeper.immediateVerdict(on: question) == nil)
        let verdict = try await gatekeeper.verdict(on: question)
        #expect(verdict.identity == narrower)
        #expect(verdict.lost == ["order:1"])
        #expect(verdict.subscribe == [])
        for token in ["other", "unknown"] {
            question.token = token
            await #expect(throws: AuthenticationError.self) { try await gatekeeper.verdict(on: question) }
        }
    }
}
