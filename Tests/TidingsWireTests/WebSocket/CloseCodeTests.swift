import TestSupport
import Testing
import TidingsWire

@Suite("CloseCode")
struct CloseCodeTests {
    struct Vector: Decodable, Sendable, CustomTestStringConvertible {
        let code: UInt16
        let sentBy: String
        let advice: String

        enum CodingKeys: String, CodingKey {
            case code
            case sentBy = "sent_by"
            case advice
        }

        var testDescription: String { "\(code) sent by the \(sentBy)" }
    }

    @Test("Advice", arguments: try Vectors.cases("close-codes", of: Vector.self))
    func advice(vector: Vector) throws {
        let expected = try #require(CloseCode.Advice(rawValue: vector.advice))
        let sender: CloseCode.Sender = vector.sentBy == "client" ? .client : .server
        #expect(CloseCode(rawValue: vector.code).advice(sentBy: sender) == expected)
    }

    @Test("Codes from 4000 to 4499 reconnect; those from 4500 to 4999 do not")
    func ranges() {
        let reconnecting: Set<CloseCode.Advice> = [
            .reconnect, .reconnectAnnounced, .reconnectResuming, .reconnectLongest, .refreshToken,
        ]
        for sender in [CloseCode.Sender.client, .server] {
            for rawValue in 4000...4999 as ClosedRange<UInt16> {
                let advice = CloseCode(rawValue: rawValue).advice(sentBy: sender)
                #expect(reconnecting.contains(advice) == (rawValue < 4500), "\(rawValue)")
            }
        }
    }

    @Test(
        "Codes that may be sent",
        arguments: [
            1000...1003, 1007...1014, 3000...4999,
        ] as [ClosedRange<UInt16>]
    )
    func mayBeSent(range: ClosedRange<UInt16>) {
        for rawValue in range {
            #expect(CloseCode(rawValue: rawValue).mayBeSent, "\(rawValue)")
        }
    }

    @Test(
        "Codes that may not be sent",
        arguments: [
            0...999, 1004...1006, 1015...2999, 5000...65535,
        ] as [ClosedRange<UInt16>]
    )
    func mayNotBeSent(range: ClosedRange<UInt16>) {
        for rawValue in range where CloseCode(rawValue: rawValue).mayBeSent {
            Issue.record("\(rawValue) may be sent")
        }
    }

    @Test(
        "Names stand for their numbers",
        arguments: [
            (.normal, 1000), (.goingAway, 1001), (.protocolError, 1002), (.unsupportedData, 1003), (.noCode, 1005),
            (.abnormal, 1006), (.invalidText, 1007), (.policyViolation, 1008), (.messageTooBig, 1009),
            (.internalError, 1011), (.serviceRestart, 1012), (.tryAgainLater, 1013), (.draining, 4000),
            (.tooSlow, 4001), (.noHeartbeat, 4002), (.tokenExpired, 4003), (.connectionLimit, 4004),
            (.notAuthenticated, 4500), (.closedByOperator, 4501),
        ] as [(CloseCode, UInt16)]
    )
    func names(code: CloseCode, rawValue: UInt16) {
        #expect(code.rawValue == rawValue)
        #expect("\(code)" == "\(rawValue)")
    }
}
