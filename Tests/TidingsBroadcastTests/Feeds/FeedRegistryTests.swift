import Foundation
import Logging
import ServiceLifecycle
import TestSupport
import Testing
import TidingsWire

@testable import TidingsBroadcast

@Suite("A registry of feeds", .timeLimit(.patience))
struct FeedRegistryTests {
    @Test(
        "an interval below a second has to be said twice, and is never nothing",
        arguments: [
            (Duration.seconds(1), false, nil), (.milliseconds(999), false, .shortInterval),
            (.milliseconds(999), true, nil), (.zero, true, .shortInterval), (.zero, false, .shortInterval),
            (.seconds(-5), true, .shortInterval),
        ] as [(Duration, Bool, FeedError.Code?)]
    )
    func intervals(interval: Duration, isSaidTwice: Bool, code: FeedError.Code?) {
        let bench = FeedBench()
        let forms: [FeedForm<Int>] = [
            .polling(every: interval, evenBelowOneSecond: isSaidTwice) { 1 },
            .hybrid(every: interval, evenBelowOneSecond: isSaidTwice) { 1 },
            .conditional(every: interval, evenBelowOneSecond: isSaidTwice) { 1 },
        ]
        for form in forms {
            do throws(FeedError) {
                let name = FeedName(stringLiteral: "feed\(bench.feeds.statuses.count)")
                try bench.feeds.declare(name, form)
                #expect(code == nil)
            } catch {
                #expect(error.code == code)
            }
        }
        #expect(bench.feeds.statuses.count == (code == nil ? 3 : 0))
    }

    @Test("two feeds of one name are an error, also at two registries of one hub")
    func duplicates() throws {
        let bench = FeedBench()
        try bench.feeds.declare("load", .events(of: Int.self))
        for feeds in [bench.feeds, FeedRegistry(bench.broadcast)] {
            let error = #expect(throws: FeedError.self) { try feeds.declare("load", .events(of: String.self)) }
            #expect(error?.code == .duplicate)
        }
        #expect(bench.feeds.statuses.map(\.name) == ["load"])
    }

    @Test("feeds that nobody runs are an error that names them; running them mends it")
    func forgotten() async throws {
        let bench = FeedBench()
        try bench.hub.feeds.check()
        try bench.feeds.declare("load", .polling { 1 })
        try bench.feeds.declare("queue", .events(of: Int.self))
        let error = #expect(throws: FeedError.self) { try bench.hub.feeds.check() }
        #expect(error?.code == .notRunning)
        #expect(error?.message.contains("load, queue") == true)
        try await bench.run {
            await bench.clock.wait(forSleeps: 1)
            // "queue" sleeps on nothing: one more feed that is asked shows that all before it have begun.
            try bench.feeds.declare("later", .polling { 1 })
            await bench.clock.wait(forSleeps: 2)
        }
        try bench.hub.feeds.check()
    }

    @Test("a feed that is declared while the registry runs, runs")
    func later() async throws {
        let (bench, source) = (FeedBench(), FeedSource(1))
        try await bench.run {
            try bench.feeds.declare("load", .polling { try await source.ask() })
            await bench.clock.wait(forSleeps: 1)
            await bench.advance(by: .seconds(5))
            #expect(source.asked == 2)
        }
    }

    @Test("a registry runs once at a time")
    func twice() async throws {
        let bench = FeedBench()
        try bench.feeds.declare("load", .polling { 1 })
        try await bench.run {
            await bench.clock.wait(forSleeps: 1)
            let error = await #expect(throws: FeedError.self) { try await bench.feeds.run() }
            #expect(error?.code == .alreadyRunning)
        }
        try await bench.run { await bench.clock.wait(forSleeps: 2) }
    }

    @Test("graceful shutdown ends sleeping, waiting and asking feeds")
    func shutdown() async throws {
        let (bench, slow) = (FeedBench(), FeedSource(1))
        try bench.feeds.declare("sleeping", .polling { 1 })
        try bench.feeds.declare("waiting", .conditional { 1 })
        try bench.feeds.declare("asking", .polling { try await slow.ask() })
        slow.setOpen(false)
        let group = ServiceGroup(services: [bench.feeds], logger: bench.logs.logger)
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask { try await group.run() }
            await slow.wait(forAsked: 1)
            await bench.clock.wait(forSleeps: 1)
            await group.triggerGracefulShutdown()
            try await tasks.waitForAll()
        }
        #expect(slow.asked == 1)
        #expect(!bench.logs.lines.contains { $0.level == .error && $0.message.contains("feed") })
    }

    @Test("each broadcast is one line of the log in debugging, without the value")
    func log() async throws {
        let bench = FeedBench()
        let feed = try bench.feeds.declare("queue", .events(of: String.self))
        for value in ["secret one", "secret two"] { try await feed.send(value) }
        let lines = bench.logs.lines
        #expect(lines.map(\.level) == [.debug, .debug])
        #expect(lines.allSatisfy { $0.metadata["feed"] == "queue" && $0.message == "broadcast" })
        #expect(!lines.contains { "\($0)".contains("secret") })
    }

    @Test("feeds with the same interval do not stay in step")
    func jitter() async throws {
        let bench = FeedBench { $0.jitter = 0.1 }
        let sources = (0..<20).map { _ in FeedSource(1) }
        for (index, source) in sources.enumerated() {
            try bench.feeds.declare(FeedName(stringLiteral: "feed\(index)"), .polling { try await source.ask() })
        }
        try await bench.run {
            await bench.clock.wait(forSleeps: 20)
            // Between 4.5 and 5.5 seconds: before nothing, after all of it, in between some.
            bench.clock.advance(by: .milliseconds(4499))
            #expect(sources.map(\.asked).reduce(0, +) == 20)
            await bench.advance(by: .milliseconds(1002), sleepers: 20)
            #expect(sources.map(\.asked).reduce(0, +) == 40)
        }
    }

    @Test("chance decides the jitter and nothing else does")
    func chance() async throws {
        let bench = FeedBench {
            $0.jitter = 0.1
            $0.chance = { 1 }
        }
        let source = FeedSource(1)
        try bench.feeds.declare("load", .polling { try await source.ask() })
        try await bench.run {
            await bench.clock.wait(forSleeps: 1)
            bench.clock.advance(by: .milliseconds(5499))
            #expect(source.asked == 1)
            await bench.advance(by: .milliseconds(1))
            #expect(source.asked == 2)
        }
    }

    @Test("values are written with sorted names and times as RFC 3339 has them")
    func encoding() async throws {
        struct Status: Codable, Sendable {
            var zone = "a/b"
            var at = Date(timeIntervalSince1970: 1_800_000_000)
            var amount = 1.5
        }
        let bench = FeedBench()
        try await bench.record("status")
        let feed = try bench.feeds.declare("status", .events(of: Status.self))
        try await feed.send(Status())
        #expect(bench.told("status") == [#"{"data":{"amount":1.5,"at":"2027-01-15T08:00:00Z","zone":"a/b"}}"#])
    }
}
