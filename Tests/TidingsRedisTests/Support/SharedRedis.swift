import Foundation
import RedisTestSupport
import TidingsRedis

/// The one server that tests share which harm nobody. Each has a prefix of its own.
enum SharedRedis {
    static var server: RedisServer {
        get async throws { try await start.value }
    }

    // A task, because the first one to ask starts it and all others wait for the same.
    private static let start = Task { try await RedisServer.start() }

    static func configuration(isPatient: Bool = true) async throws -> RedisConfiguration {
        try await server.configuration(prefix: "t-\(UUID().uuidString.prefix(8)):", isPatient: isPatient)
    }
}
