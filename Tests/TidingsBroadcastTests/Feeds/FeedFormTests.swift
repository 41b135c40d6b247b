import Logging
import TestSupport
import Testing
import TidingsWire

@testable import TidingsBroadcast

/// Exact numbers of polls and broadcasts, on a clock that moves only when a test says so.
@Suite("The forms of feeds", .timeLimit(.patience))
struct FeedFormTests {
    // MARK: Polling

    @Test("polling tells the first value and then only changes, at its interval")
    func polling() async throws {
        let (bench, source) = (FeedBench(), FeedSource(1))
        let feed = try bench.feeds.declare("load", .polling(every: .seconds(10)) { try await source.ask() })
        try await bench.record("load")
        try await bench.run {
            await bench.clock.wait(forSleeps: 1)
            #expect(source.asked == 1)
            #expect(bench.told("load") == [#"{"data":1}"#])
            for _ in 0..<5 { await bench.advance(by: .seconds(10)) }
            #expect(source.asked == 6)
            #expect(bench.told("load").count == 1)
            source.set(2)
            await bench.advance(by: .seconds(10))
            #expect(source.asked == 7)
            #expect(bench.told("load") == [#"{"data":1}"#, #"{"data":2}"#])
            source.set(1)
            await bench.advance(by: .seconds(10))
            #expect(bench.told("load").last == #"{"data":1}"#)
            #expect(feed.status.polls == 8)
            #expect(feed.status.broadcasts == 3)
            #expect(feed.status.failures == 0)
        }
    }

    @Test("a feed that says nothing about it is asked every five seconds")
    func defaultInterval() async throws {
        let (bench, source) = (FeedBench(), FeedSource(1))
        try bench.feeds.declare("load", .polling { try await source.ask() })
        try await bench.run {
            await bench.clock.wait(forSleeps: 1)
            // One nanosecond early nothing is due: only the clock's next move brings the second poll.
            bench.clock.advance(by: .seconds(5) - .nanoseconds(1))
            await bench.advance(by: .nanoseconds(1))
            #expect(source.asked == 2)
            await bench.advance(by: .seconds(5))
            #expect(source.asked == 3)
        }
    }

    @Test("of a source that does not change for an hour one value is told, to however many listen")
    func quiet() async throws {
        let (bench, source) = (FeedBench(), FeedSource("idle"))
        try bench.feeds.declare("state", .polling { try await source.ask() })
        try await bench.record("state")
        try await bench.run {
            await bench.clock.wait(forSleeps: 1)
            let clients = [try await FeedClient.connect(bench.hub), try await FeedClient.connect(bench.hub)]
            for _ in 0..<720 { await bench.advance(by: .seconds(5)) }
            #expect(source.asked == 721)
            #expect(bench.told("state").count == 1)
            for client in clients {
                #expect(try await client.receive() == [#"{"type":"state_update","data":"idle"}"#])
                try await client.drop()
            }
        }
    }

    @Test("a slow source is never asked a second time while it answers, and has its interval afterwards")
    func slow() async throws {
        let (bench, source) = (FeedBench(), FeedSource(1))
        try bench.feeds.declare("load", .polling(every: .seconds(2)) { try await source.ask() })
        source.setOpen(false)
        try await bench.run {
            await source.wait(forAsked: 1)
            bench.clock.advance(by: .seconds(60))
            source.setOpen(true)
            await bench.clock.wait(forSleeps: 1)
            #expect(source.asked == 1)
            bench.clock.advance(by: .milliseconds(1999))
            await bench.advance(by: .milliseconds(1))
            #expect(source.asked == 2)
            #expect(source.mostAtOnce == 1)
        }
    }

    @Test("one that is slow does not hold up the others")
    func independent() async throws {
        let (bench, slow, quick) = (FeedBench(), FeedSource(1), FeedSource(1))
        try bench.feeds.declare("slow", .polling { try await slow.ask() })
        try bench.feeds.declare("quick", .polling { try await quick.ask() })
        slow.setOpen(false)
        try await bench.run {
            await slow.wait(forAsked: 1)
            await bench.clock.wait(forSleeps: 1)
            for _ in 0..<10 { await bench.advance(by: .seconds(5)) }
            #expect(quick.asked == 11)
            #expect(slow.asked == 1)
            slow.setOpen(true)
        }
    }

    // MARK: Failures

    @Test("a source that throws is logged and asked again after 5, 10, 20, 40, 60, 60 seconds, then as before")
    func failures() async throws {
        let (bench, source) = (FeedBench(), FeedSource(1))
        let feed = try bench.feeds.declare("load", .polling(every: .seconds(30)) { try await source.ask() })
        try await bench.record("load")
        source.setBroken(true)
        try await bench.run {
            await bench.clock.wait(forSleeps: 1)
            for (index, delay) in [5, 10, 20, 40, 60, 60].enumerated() {
                bench.clock.advance(by: .seconds(delay) - .nanoseconds(1))
                #expect(source.asked == index + 1)
                await bench.advance(by: .nanoseconds(1))
                #expect(source.asked == index + 2)
            }
            #expect(feed.status.failures == 7)
            #expect(feed.status.isFailing)
            source.setBroken(false)
            await bench.advance(by: .seconds(60))
            #expect(bench.told("load") == [#"{"data":1}"#])
            #expect(!feed.status.isFailing)
            bench.clock.advance(by: .milliseconds(29_999))
            await bench.advance(by: .milliseconds(1))
            #expect(source.asked == 9)
            let errors = bench.logs.lines.filter { $0.level == .error }
            #expect(errors.count == 7)
            #expect(errors.allSatisfy { $0.metadata["feed"] == "load" && $0.metadata["error"] == "Broken" })
        }
    }

    @Test("a value that cannot be told is a failure of its feed, and says why without the value")
    func badValues() async throws {
        let bench = FeedBench()
        try bench.feeds.declare("number", .polling { Double.nan })
        try bench.feeds.declare("large", .polling { String(repeating: "x", count: 70_000) })
        try bench.feeds.declare("flat", .polling { [1, 2] }.frame(.flat))
        let events = try bench.feeds.declare("sent", .events(of: [Int].self).frame(.flat))
        try await bench.run {
            await bench.clock.wait(forSleeps: 3)
            let reasons = bench.logs.lines.filter { $0.level == .error }.reduce(into: [:]) {
                $0["\($1.metadata["feed"] ?? "")"] = "\($1.metadata["error"] ?? "")"
            }
            #expect(reasons["number"]?.hasPrefix("bad_value") == true)
            #expect(reasons["large"]?.hasPrefix("payload_too_large") == true)
            #expect(reasons["flat"]?.hasPrefix("bad_value") == true)
            #expect(!reasons.values.contains { $0.contains("xxx") })
            let error = await #expect(throws: FeedError.self) { try await events.send([1]) }
            #expect(error?.code == .badValue)
        }
    }

    @Test("what the log is told of an error can be chosen")
    func described() async throws {
        let bench = FeedBench { $0.describe = { _ in "the monitor is away" } }
        let source = FeedSource(1)
        source.setBroken(true)
        try bench.feeds.declare("load", .polling { try await source.ask() })
        try await bench.run {
            await bench.clock.wait(forSleeps: 1)
            #expect(bench.logs.lines.first { $0.level == .error }?.metadata["error"] == "the monitor is away")
        }
    }

    // MARK: Events

    @Test("events are told at once, each of them, and nothing is ever asked")
    func events() async throws {
        let bench = FeedBench()
        let feed = try bench.feeds.declare("queue", .events(of: String.self))
        try await bench.record("queue")
        try await bench.run {
            try await feed.send("waiting")
            try await feed.send("running")
            try await feed.send("running")
            #expect(bench.told("queue") == [#"{"data":"waiting"}"#, #"{"data":"running"}"#, #"{"data":"running"}"#])
            #expect(feed.status.polls == 0)
            #expect(feed.status.broadcasts == 3)
            #expect(bench.clock.sleeps == 0)
        }
    }

    @Test("what the backend refuses is thrown to whoever sends, and counts for nothing")
    func refusedSend() async throws {
        let bench = FeedBench()
        let feed = try bench.feeds.declare("queue", .events(of: String.self))
        await bench.broadcast.close()
        let error = await #expect(throws: BroadcastError.self) { try await feed.send("lost") }
        #expect(error?.code == .closed)
        #expect(feed.status.broadcasts == 0)
    }

    // MARK: Hybrid

    @Test("a hybrid's poll that finds what an event has told tells nothing; one that finds what was missed tells it")
    func hybrid() async throws {
        let (bench, source) = (FeedBench(), FeedSource("a"))
        let feed = try bench.feeds.declare("workflow", .hybrid { try await source.ask() })
        try await bench.record("workflow")
        try await bench.run {
            await bench.clock.wait(forSleeps: 1)
            #expect(bench.told("workflow").count == 1)
            source.set("b")
            try await feed.send("b")
            #expect(bench.told("workflow").count == 2)
            // The registry's interval for this form: ten seconds.
            await bench.advance(by: .seconds(10))
            #expect(source.asked == 2)
            #expect(bench.told("workflow").count == 2)
            source.set("c")
            await bench.advance(by: .seconds(10))
            #expect(source.asked == 3)
            #expect(bench.told("workflow") == [#"{"data":"a"}"#, #"{"data":"b"}"#, #"{"data":"c"}"#])
        }
    }

    @Test("an event overtakes a poll that began before it: the older value is not told after the newer one")
    func overtaken() async throws {
        let (bench, source) = (FeedBench(), FeedSource("old"))
        let feed = try bench.feeds.declare("workflow", .hybrid { try await source.ask() })
        try await bench.record("workflow")
        source.setOpen(false)
        try await bench.run {
            // The poll has read "old" and takes its time.
            await source.wait(forAsked: 1)
            source.set("new")
            try await feed.send("new")
            source.setOpen(true)
            await bench.clock.wait(forSleeps: 1)
            #expect(bench.told("workflow") == [#"{"data":"new"}"#])
            #expect(feed.status.overtaken == 1)
            await bench.advance(by: .seconds(10))
            #expect(bench.told("workflow").count == 1)
        }
    }

    @Test("what another node has told is not told again by this one's poll")
    func otherNode() async throws {
        let (bench, source) = (FeedBench(), FeedSource(1))
        let feed = try bench.feeds.declare("load", .polling { try await source.ask() })
        try await bench.run {
            await bench.clock.wait(forSleeps: 1)
            source.set(2)
            let event = BroadcastEvent(channel: "feed:load", name: "update", payload: ["data": 2])
            try bench.hub.publish(event)
            await bench.advance(by: .seconds(5))
            #expect(source.asked == 2)
            #expect(feed.status.broadcasts == 1)
        }
    }

    // MARK: Conditional

    @Test("if so declared, nothing is asked while nobody listens, and at once when somebody comes")
    func onlyWithListeners() async throws {
        let (bench, source, ticker) = (FeedBench(), FeedSource(1), FeedSource(0))
        let feed = try bench.feeds.declare("load", .conditional(every: .seconds(10)) { try await source.ask() })
        try bench.feeds.declare("ticker", .polling(every: .seconds(10)) { try await ticker.ask() })
        try await bench.run {
            // A feed that is asked in any case shows that time goes on.
            await bench.clock.wait(forSleeps: 1)
            for _ in 0..<50 { await bench.advance(by: .seconds(10)) }
            #expect((ticker.asked, source.asked) == (51, 0))
            let first = try await FeedClient.connect(bench.hub, hearing: ["load"])
            await bench.clock.wait(forSleeps: 52)
            #expect(source.asked == 1)
            #expect(try await first.receive() == [#"{"type":"load_update","data":1}"#])
            #expect(feed.status.listeners == 1)
            await bench.advance(by: .seconds(10), sleepers: 2)
            #expect(source.asked == 2)

            try await first.drop()
            #expect(feed.status.listeners == 0)
            source.set(2)
            for _ in 0..<50 { await bench.advance(by: .seconds(10)) }
            #expect((ticker.asked, source.asked) == (102, 2))
            let sleeps = bench.clock.sleeps
            let second = try await FeedClient.connect(bench.hub, hearing: ["load"])
            await bench.clock.wait(forSleeps: sleeps + 1)
            #expect(source.asked == 3)
            // The last value that was told came at once, the new one when it was known.
            #expect(
                try await second.receive() == [
                    #"{"type":"load_update","data":1}"#, #"{"type":"load_update","data":2}"#,
                ]
            )
            try await second.drop()
        }
    }

    @Test("who goes and comes back does not make a feed ask before its interval is over")
    func churn() async throws {
        let (bench, source) = (FeedBench(), FeedSource(1))
        try bench.feeds.declare("load", .conditional(every: .seconds(10)) { try await source.ask() })
        try await bench.run {
            for _ in 0..<20 {
                let client = try await FeedClient.connect(bench.hub, hearing: ["load"])
                await bench.clock.wait(forSleeps: 1)
                #expect(source.asked == 1)
                try await client.drop()
            }
            let client = try await FeedClient.connect(bench.hub, hearing: ["load"])
            await bench.advance(by: .seconds(10))
            #expect(source.asked == 2)
            try await client.drop()
        }
    }

    @Test("a change of more than a tenth is told, measured from what was told last")
    func significance() async throws {
        let (bench, source) = (FeedBench(), FeedSource(100))
        let feed = try bench.feeds.declare(
            "visitors",
            .conditional(
                onlyWithListeners: false,
                isSignificant: { old, new in abs(new - old) * 10 > old },
                { try await source.ask() }
            )
        )
        try await bench.record("visitors")
        try await bench.run {
            await bench.clock.wait(forSleeps: 1)
            for count in [104, 108, 110, 111, 115, 122, 123, 90] {
                source.set(count)
                await bench.advance(by: .seconds(5))
            }
            #expect(source.asked == 9)
            #expect(bench.told("visitors") == [100, 111, 123, 90].map { "{\"data\":\($0)}" })
            try await feed.send(95)
            try await feed.send(100)
            #expect(bench.told("visitors").last == #"{"data":100}"#)
            #expect(bench.told("visitors").count == 5)
        }
    }
}
