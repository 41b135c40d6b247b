import Foundation
import Testing
import TidingsWire

@testable import TidingsBroadcast

@Suite("Until when a client is who it says it is")
struct SessionAuthenticationTests {
    private let start = Date(timeIntervalSince1970: 1_000_000)
    private let grace: Duration = .seconds(25)

    @Test("a token has to come in time")
    func awaited() {
        let authentication = SessionAuthentication.awaited(until: 10)
        #expect(!authentication.allowsRequests)
        #expect(authentication.due(at: 9, now: start, grace: grace) == .nothing)
        #expect(authentication.due(at: 10, now: start, grace: grace) == .missing)
    }

    @Test("a session lives on for a while after its token")
    func expiry() {
        let authentication = SessionAuthentication.identified(Identity(subject: "7", expiresAt: start))
        #expect(authentication.allowsRequests)
        #expect(authentication.due(at: 0, now: start.addingTimeInterval(24.9), grace: grace) == .nothing)
        #expect(authentication.due(at: 0, now: start.addingTimeInterval(25), grace: grace) == .expired)
    }

    @Test("nothing is ever due where nobody is asked, or the token does not expire")
    func never() {
        for authentication in [SessionAuthentication.notRequired, .identified(Identity(subject: "7"))] {
            #expect(authentication.allowsRequests)
            #expect(authentication.due(at: .max, now: .distantFuture, grace: grace) == .nothing)
        }
    }
}

@Suite("Subjects and snapshots")
struct TableTests {
    private let now = Date(timeIntervalSince1970: 1_000_000)

    @Test("subjects are counted, limited and forgotten")
    func subjects() {
        var table = SubjectTable()
        for _ in 0..<3 { table.add("7") }
        table.add("8")
        #expect(table.refusal(of: "7", atMost: 3, now: now) == nil)
        #expect(table.refusal(of: "7", atMost: 2, now: now)?.code == .connectionLimit)
        #expect(table.refusal(of: "8", atMost: 2, now: now) == nil)
        #expect(table.refusal(of: "7", atMost: nil, now: now) == nil)
        for _ in 0..<3 { table.remove("7") }
        #expect(table.count(of: "7") == 0)
        #expect(table.count(of: "8") == 1)
    }

    @Test("who is kept out comes in again when the time is over, or an operator says so")
    func keptOut() {
        var table = SubjectTable()
        table.keepOut("7", until: now.addingTimeInterval(60), now: now)
        #expect(table.refusal(of: "7", atMost: nil, now: now)?.code == .closedByOperator)
        #expect(table.refusal(of: "7", atMost: nil, now: now.addingTimeInterval(60)) == nil)
        table.keepOut("7", until: now, now: now)
        #expect(table.refusal(of: "7", atMost: nil, now: now) == nil)
    }

    @Test("of too many snapshots the oldest are forgotten, never the newest")
    func snapshots() throws {
        var table = SnapshotTable()
        func event(_ number: UInt64) throws -> PublishedEvent {
            let event = BroadcastEvent(channel: try ChannelName("feed:\(number)"), name: .updated)
            return PublishedEvent(
                event: event,
                position: EventPosition(epoch: "e", offset: number),
                delivery: .snapshot
            )
        }
        for number: UInt64 in 1...100 { table.keep(try event(number), atMost: 8) }
        let kept = try (1...100).filter { try table[ChannelName("feed:\($0)")] != nil }
        #expect((6...8).contains(kept.count))
        #expect(kept == Array((101 - kept.count)...100))
        table.keep(try event(7), atMost: 1)
        #expect(table["feed:7"] != nil)
    }
}
