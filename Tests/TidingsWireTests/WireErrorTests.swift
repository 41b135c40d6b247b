import Testing
import TidingsWire

@Suite("WireError")
struct WireErrorTests {
    @Test("Codes stand on the wire as documented")
    func codes() {
        let codes: [WireError.Code] = [
            .badJSON, .badRequest, .badChannel, .tooManyChannels, .tooLarge, .rateLimited, .unauthenticated, .forbidden,
        ]
        #expect(
            codes.map(\.rawValue) == [
                "bad_json", "bad_request", "bad_channel", "too_many_channels", "too_large", "rate_limited",
                "unauthenticated", "forbidden",
            ]
        )
    }

    @Test("A description is the code and the sentence")
    func description() {
        #expect("\(WireError(.forbidden, "No.", channel: "secret"))" == "forbidden: No.")
    }
}
