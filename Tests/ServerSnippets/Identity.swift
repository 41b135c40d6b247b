import TidingsBroadcast
import TidingsClient
import TidingsHummingbird

/// Stands for what an application knows of its tables.
protocol Seating: Sendable {
    func isServed(_ channel: ChannelName, by subject: String) async -> Bool
}

/// Stands for an application's session with its identity provider.
protocol SignedInSession: Sendable {
    func freshToken() async throws -> String
}

func makeBroadcast() async throws -> WebSocketBroadcastBackend {
    // snippet: authenticator
    var configuration = BroadcastHub.Configuration()
    configuration.authenticator = try await JWTAuthenticator(
        keys: .url("https://id.example.com/.well-known/jwks.json"),
        configuration: .init(issuer: "https://id.example.com", audience: "orders")
    )
    let broadcast = WebSocketBroadcastBackend(hub: BroadcastHub(configuration: configuration))
    // end
    return broadcast
}

func declarePublicChannels(in configuration: inout BroadcastHub.Configuration) {
    // snippet: public
    configuration.policy = ChannelPolicy(publicChannels: ["menu", "menu:*"])
    // end
}

func decideByDatabase(in configuration: inout BroadcastHub.Configuration, seating: any Seating) {
    // snippet: closure
    configuration.policy = ChannelPolicy(publicChannels: ["menu"]) { identity, channel in
        guard let identity else { return false }
        return await seating.isServed(channel, by: identity.subject)
    }
    // end
}

func makeClient(session: any SignedInSession) throws -> BroadcastClient {
    // snippet: client
    var configuration = BroadcastClient.Configuration()
    configuration.token = { try await session.freshToken() }
    let client = try BroadcastClient(url: "wss://example.com/ws/broadcast", configuration: configuration)
    // end
    return client
}
