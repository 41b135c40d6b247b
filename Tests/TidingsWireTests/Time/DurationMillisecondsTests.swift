import Testing

@testable import TidingsWire

@Suite("Duration: milliseconds on the wire")
struct DurationMillisecondsTests {
    @Test(
        "What is written",
        arguments: [
            (.zero, 0), (.milliseconds(1), 1), (.milliseconds(25_000), 25_000), (.seconds(5), 5000),
            (.nanoseconds(1), 1), (.microseconds(1001), 2), (.milliseconds(-1), 0), (.seconds(Int64.min), 0),
            (.milliseconds(2_147_483_647), 2_147_483_647), (.milliseconds(2_147_483_648), 2_147_483_647),
            (.seconds(Int64.max), 2_147_483_647),
        ] as [(Duration, Int)]
    )
    func written(duration: Duration, milliseconds: Int) {
        #expect(duration.wireMilliseconds == milliseconds)
    }

    @Test(
        "What is read",
        arguments: [
            (0, .zero), (25_000, .seconds(25)), (2_147_483_647, .milliseconds(2_147_483_647)),
            (Int.max, .milliseconds(2_147_483_647)), (-1, nil), (Int.min, nil),
        ] as [(Int, Duration?)]
    )
    func read(milliseconds: Int, duration: Duration?) {
        #expect(Duration(wireMilliseconds: milliseconds) == duration)
    }
}
