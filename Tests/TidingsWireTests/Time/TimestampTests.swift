import Foundation
import TestSupport
import Testing

@testable import TidingsWire

@Suite("Timestamp")
struct TimestampTests {
    @Test(
        "Moments and their texts",
        arguments: [
            (0, "1970-01-01T00:00:00.000Z"), (1_767_323_045.678, "2026-01-02T03:04:05.678Z"),
            (-0.001, "1969-12-31T23:59:59.999Z"), (-1, "1969-12-31T23:59:59.000Z"),
            (951_782_400, "2000-02-29T00:00:00.000Z"), (951_868_799.999, "2000-02-29T23:59:59.999Z"),
            (4_107_542_399, "2100-02-28T23:59:59.000Z"), (4_107_542_400, "2100-03-01T00:00:00.000Z"),
            (1_735_689_599.5, "2024-12-31T23:59:59.500Z"), (-62_135_596_800, "0001-01-01T00:00:00.000Z"),
            (253_402_300_799.999, "9999-12-31T23:59:59.999Z"),
        ] as [(TimeInterval, String)]
    )
    func moments(seconds: TimeInterval, text: String) throws {
        #expect(Timestamp.text(Date(timeIntervalSince1970: seconds)) == text)
        let date = try #require(Timestamp.date(text))
        #expect(abs(date.timeIntervalSince1970 - seconds) < 0.000_1)
    }

    @Test("The nearest millisecond is written")
    func rounding() {
        #expect(Timestamp.text(Date(timeIntervalSince1970: 0.000_4)) == "1970-01-01T00:00:00.000Z")
        #expect(Timestamp.text(Date(timeIntervalSince1970: 0.999_6)) == "1970-01-01T00:00:01.000Z")
        #expect(Timestamp.text(Date(timeIntervalSince1970: -0.000_6)) == "1969-12-31T23:59:59.999Z")
    }

    @Test(
        "A moment that has no text",
        arguments: [.infinity, -.infinity, .nan, 1e300, -1e300, 253_402_300_800, -62_135_596_801] as [TimeInterval]
    )
    func noText(seconds: TimeInterval) {
        #expect(Timestamp.text(Date(timeIntervalSince1970: seconds)) == nil)
    }

    @Test(
        "Other forms of RFC 3339 are read",
        arguments: [
            ("1970-01-01T00:00:01Z", 1), ("1970-01-01t00:00:01z", 1), ("1970-01-01T00:00:01.5Z", 1.5),
            ("1970-01-01T00:00:01.123456789012345Z", 1.123_456_789), ("1970-01-01T01:00:00+01:00", 0),
            ("1969-12-31T18:30:00-05:30", 0), ("1970-01-01T00:00:00-00:00", 0), ("1972-06-30T23:59:60Z", 78_796_800),
        ] as [(String, TimeInterval)]
    )
    func otherForms(text: String, seconds: TimeInterval) throws {
        let date = try #require(Timestamp.date(text))
        #expect(abs(date.timeIntervalSince1970 - seconds) < 0.000_1)
    }

    @Test(
        "Other texts are none",
        arguments: [
            "", "now", "1970", "1970-01-01", "1970-01-01T00:00:00", "1970-01-01 00:00:00Z", "1970-01-01T00:00Z",
            "1970-01-01T00:00:00.Z", "1970-01-01T00:00:00,5Z", "1970-01-01T24:00:00Z", "1970-01-01T00:60:00Z",
            "1970-01-01T00:00:61Z", "1970-00-01T00:00:00Z", "1970-13-01T00:00:00Z", "1970-01-00T00:00:00Z",
            "1970-01-32T00:00:00Z", "1970-02-29T00:00:00Z", "1900-02-29T00:00:00Z", "0000-01-01T00:00:00Z",
            "70-01-01T00:00:00Z", "+1970-01-01T00:00:00Z", "1970-1-1T00:00:00Z", "1970-01-01T00:00:00ZZ",
            "1970-01-01T00:00:00+0100", "1970-01-01T00:00:00+24:00", "1970-01-01T00:00:00+01", "١٩٧٠-01-01T00:00:00Z",
            " 1970-01-01T00:00:00Z", "1970-01-01T00:00:00Z\n",
        ]
    )
    func invalid(text: String) {
        #expect(Timestamp.date(text) == nil)
    }

    @Test("As Foundation writes them", arguments: 0..<20 as Range<UInt64>)
    func comparison(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        let style = Date.ISO8601FormatStyle(includingFractionalSeconds: true)
        for _ in 0..<100 {
            // From 1600 on: before, Foundation changes to the Julian calendar, which RFC 3339 does not know. A quarter of
            // a millisecond more, so that it is the same number whether it is cut off or rounded.
            let milliseconds = generator.number(in: -11_676_096_000_000...250_000_000_000_000)
            let date = Date(timeIntervalSince1970: (Double(milliseconds) + 0.25) / 1000)
            let text = try #require(Timestamp.text(date))
            #expect(text == date.formatted(style))
            let read = try #require(Timestamp.date(text))
            #expect(Timestamp.text(read) == text)
        }
    }

    @Test("Every day of two hundred years follows the one before")
    func days() throws {
        var previous = ""
        for day in -27_000..<50_000 {
            let text = try #require(Timestamp.text(Date(timeIntervalSince1970: Double(day) * 86_400)))
            guard text > previous, Timestamp.date(text)?.timeIntervalSince1970 == Double(day) * 86_400 else {
                Issue.record("\(text) comes after \(previous)")
                return
            }
            previous = text
        }
    }

    @Test("Every year begins on the day after the one before has ended")
    func years() throws {
        for year in 1...9998 {
            let digits = String(repeating: "0", count: 4 - String(year + 1).count) + String(year + 1)
            let first = try #require(Timestamp.date("\(digits)-01-01T00:00:00Z"))
            let last = try #require(Timestamp.text(first.addingTimeInterval(-0.001)))
            guard Timestamp.text(first) == "\(digits)-01-01T00:00:00.000Z", last.hasSuffix("-12-31T23:59:59.999Z"),
                last.hasPrefix(String(repeating: "0", count: 4 - String(year).count) + String(year))
            else {
                Issue.record("The year \(digits) begins after \(last)")
                return
            }
        }
    }

    @Test("Any text is read without harm", arguments: 0..<10 as Range<UInt64>)
    func garbage(seed: UInt64) {
        var random = RandomJSON(seed: seed)
        for _ in 0..<500 {
            let text = random.mutated("2026-01-02T03:04:05.678+01:00")
            guard let date = Timestamp.date(String(decoding: text, as: UTF8.self)) else { continue }
            #expect(Timestamp.text(date) != nil)
        }
    }
}
