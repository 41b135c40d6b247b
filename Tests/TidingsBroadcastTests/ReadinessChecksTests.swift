import Synchronization
import TestSupport
import Testing
import TidingsBroadcast

@Suite("Readiness", .timeLimit(.patience))
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

    @Test("a check that cannot be cancelled holds nobody up, and hangs once however often it is asked")
    func hanging() async {
        let (checks, gate) = (ReadinessChecks(), Gate())
        checks.register("disk") { await gate.pass() }
        for _ in 0..<5 {
            #expect(await checks.failures(deadline: .milliseconds(20)).map(\.part) == ["disk"])
        }
        #expect(gate.asked == 1)
        gate.open()
        // It works again: what hung is over, and the next one is asked anew.
        #expect(await checks.failures(deadline: .seconds(30)).isEmpty)
        #expect(await checks.failures(deadline: .seconds(30)).isEmpty)
        #expect(gate.asked > 1)
    }

    @Test("what failed is asked again each time")
    func again() async {
        let checks = ReadinessChecks()
        let calls = Mutex(0)
        checks.register("database") {
            let call = calls.withLock { calls in
                calls += 1
                return calls
            }
            if call < 3 { throw Broken() }
        }
        for expected in [["database"], ["database"], []] { #expect(await checks.failures().map(\.part) == expected) }
    }
}

/// Keeps whoever passes waiting until it is opened, also those who are cancelled.
private final class Gate: Sendable {
    private struct State {
        var isOpen = false
        var asked = 0
        var waiting: [CheckedContinuation<Void, Never>] = []
    }

    private let state = Mutex(State())

    var asked: Int { state.withLock(\.asked) }

    func pass() async {
        await withCheckedContinuation { continuation in
            let isOpen = state.withLock { state in
                state.asked += 1
                if !state.isOpen { state.waiting.append(continuation) }
                return state.isOpen
            }
            if isOpen { continuation.resume() }
        }
    }

    func open() {
        let waiting = state.withLock { state in
            state.isOpen = true
            defer { state.waiting = [] }
            return state.waiting
        }
        for continuation in waiting { continuation.resume() }
    }
}
