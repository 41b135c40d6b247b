import RedisTestSupport
import TestSupport
import Testing
import TidingsBroadcast
import TidingsRedis
import TidingsTesting
import TidingsWire

@Suite("The backend on Redis keeps its promises", .needsRedis, .timeLimit(.patience))
struct RedisConformanceTests {
    @Test("those of every backend", arguments: BroadcastBackendConformance.checks)
    func backend(_ check: ConformanceCheck<any BroadcastBackend>) async throws {
        try await withBackend(try await SharedRedis.configuration()) { try await check.run(against: $0) }
    }

    @Test("those of every backend, in RESP2", arguments: BroadcastBackendConformance.checks)
    func olderProtocol(_ check: ConformanceCheck<any BroadcastBackend>) async throws {
        var configuration = try await SharedRedis.configuration()
        configuration.protocolVersion = .resp2
        try await withBackend(configuration) { try await check.run(against: $0) }
    }

    @Test("those of every backend, underneath one that pushes", arguments: BroadcastBackendConformance.checks)
    func pushing(_ check: ConformanceCheck<any BroadcastBackend>) async throws {
        try await withNodes([try await SharedRedis.configuration()]) { try await check.run(against: $0[0].broadcast) }
    }

    @Test("those of every backend that publishes once", arguments: IdempotentBackendConformance.checks)
    func idempotent(_ check: ConformanceCheck<any IdempotentBroadcastBackend>) async throws {
        try await withBackend(try await SharedRedis.configuration()) { try await check.run(against: $0) }
    }

    @Test("those of every log", arguments: EventLogConformance.checks)
    func log(_ check: ConformanceCheck<EventLogConformance.Subject>) async throws {
        try await withBackend(try await SharedRedis.configuration()) { backend in
            let subject = EventLogConformance.Subject(backend) { try await backend.publish($0, alsoOn: []) }
            try await check.run(against: subject)
        }
    }
}
