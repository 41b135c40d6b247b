import Testing
import TidingsBroadcast

@Suite("Readiness", .timeLimit(.minutes(1)))
struct ReadinessChecksTests {
    private struct Broken: Error, CustomStringConvertible {
        let description = "it is broken"
    }

    @Test("without checks everything is ready")
    func empty() async {
        #expect(await ReadinessChecks().failures().isEmpty)
    }

    @Test("names every part that does not work, in the order of registration")
    func failing() async {
        let checks = ReadinessChecks()
        checks.register("database") { throw Broken() }
        checks.register("backend") {}
        checks.register("relay") { throw Broken() }
        let failures = await checks.failures()
        #expect(failures.map(\.part) == ["database", "relay"])
        #expect(failures.first?.reason == "it is broken")
    }

    @Test("a part that is registered again takes its own place")
    func replaced() async {
        let checks = ReadinessChecks()
        checks.register("database") { throw Broken() }
        checks.register("database") {}
        #expect(await checks.failures().isEmpty)
    }

    @Test("a check that does not answer has failed at the deadline")
    func silent() async {
        let checks = ReadinessChecks()
        checks.register("backend") { try await Task.sleep(for: .seconds(3600)) }
        checks.register("database") {}
        #expect(await checks.failures(deadline: .milliseconds(20)).map(\.part) == ["backend"])
    }
}
