import Testing
import TidingsWire

@testable import TidingsBroadcast

@Suite("Where a conversation with a client stands")
struct SessionStateTests {
    @Test("a message is done or answered with an error, and the conversation goes on")
    func messages() {
        var state = SessionState()
        #expect(
            state.receive(.text(Array(#"{"subscribe":["order"]}"#.utf8)))
                == .perform(ClientMessage(subscribe: ["order"]))
        )
        for (text, code) in [
            ("hello", WireError.Code.badJSON), ("[]", .badRequest), (#"{"subscribe":1}"#, .badRequest),
        ] {
            guard case .send(.error(let error, _)) = state.receive(.text(Array(text.utf8))) else {
                Issue.record("no error for \(text)")
                continue
            }
            #expect(error.code == code)
        }
        guard case .send(.error(let error, _)) = state.receive(.binary([1, 2])) else {
            Issue.record("no error for a binary message")
            return
        }
        #expect(error.code == .badRequest)
        #expect(state.phase == .open)
    }

    @Test("pings are answered with their payload, pongs are not answered")
    func heartbeat() {
        var state = SessionState()
        #expect(state.receive(.ping([1, 2, 3])) == .pong([1, 2, 3]))
        #expect(state.receive(.pong([1])) == .nothing)
    }

    @Test("a close frame is answered with its code, then nothing is said or heard")
    func closedByClient() {
        var state = SessionState()
        #expect(state.receive(.close(.normal, reason: "bye")) == .closeAndEnd(.normal, reason: ""))
        #expect(state.phase == .ending)
        #expect(state.receive(.ping([])) == .nothing)
        #expect(state.close(.goingAway, reason: "") == .nothing)
    }

    @Test("a close frame of ours is answered by theirs, and what comes in between is not acted on")
    func closedByServer() {
        var state = SessionState()
        #expect(state.close(.goingAway, reason: "later") == .startClosing(.goingAway, reason: "later"))
        #expect(state.close(.goingAway, reason: "again") == .nothing)
        #expect(state.receive(.text(Array(#"{"subscribe":["order"]}"#.utf8))) == .nothing)
        #expect(state.receive(.close(.goingAway, reason: "")) == .end)
        #expect(state.phase == .ending)
    }

    @Test("a broken rule is answered with its code and ends the conversation")
    func violation() {
        var reader = WebSocketReader(from: .client, maximumMessageBytes: 10)
        var state = SessionState()
        let violation = #expect(throws: WebSocketViolation.self) { try reader.read([0x81, 0x00]) { _ in } }
        guard let violation else { return }
        #expect(state.receive(violation) == .closeAndEnd(.protocolError, reason: violation.reason))
        #expect(state.receive(violation) == .nothing)
    }

    @Test("after the transport is gone nothing follows from anything")
    func gone() {
        var state = SessionState()
        state.transportClosed()
        #expect(state.receive(.ping([])) == .nothing)
        #expect(state.close(.normal, reason: "") == .nothing)
        #expect(state.phase == .closed)
    }
}
