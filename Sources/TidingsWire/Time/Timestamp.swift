#if canImport(FoundationEssentials)
package import FoundationEssentials
#else
package import Foundation
#endif

/// A moment as it stands on the wire: RFC 3339 in UTC with milliseconds, such as `2026-01-02T03:04:05.678Z`.
package enum Timestamp {
    /// The first moment of 1970. Where a time has to stand and none is known, it stands for "not known".
    static let unknown = "1970-01-01T00:00:00.000Z"

    /// Writes a moment, rounded to the nearest millisecond; nil outside the years 1 to 9999, which have no such form.
    package static func text(_ date: Date) -> String? {
        let milliseconds = (date.timeIntervalSince1970 * 1000).rounded()
        guard milliseconds >= Double(firstSecond) * 1000, milliseconds < Double(endSecond) * 1000 else { return nil }
        let (second, millisecond) = Int(milliseconds).floored(by: 1000)
        let (day, secondOfDay) = second.floored(by: secondsPerDay)
        let date = Day(number: day + Day.of1970)
        let time = [secondOfDay / 3600, secondOfDay / 60 % 60, secondOfDay % 60].map { padded($0, 2) }
        return padded(date.year, 4) + "-" + padded(date.month, 2) + "-" + padded(date.day, 2) + "T"
            + time.joined(separator: ":") + "." + padded(millisecond, 3) + "Z"
    }

    /// Reads any form that RFC 3339 §5.6 allows, with any offset and any fraction; nil if it is none.
    package static func date(_ text: String) -> Date? {
        var reader = Reader(rest: text.utf8[...])
        return reader.date()
    }

    private static let secondsPerDay = 86_400
    private static let firstSecond = -Day.of1970 * secondsPerDay
    private static let endSecond = (Day.number(beforeYear: 10_000) - Day.of1970) * secondsPerDay

    private static func padded(_ number: Int, _ count: Int) -> String {
        let digits = String(number)
        return String(repeating: "0", count: max(0, count - digits.count)) + digits
    }
}

// MARK: - The calendar

extension Timestamp {
    /// A day of the Gregorian calendar, which is also taken for the time before it was introduced.
    private struct Day {
        let year: Int
        let month: Int
        let day: Int

        /// The days from the first of January of the year 1 to that of 1970.
        static let of1970 = number(beforeYear: 1970)

        /// How many days there are from the first of January of the year 1 to that of another.
        static func number(beforeYear year: Int) -> Int {
            let years = year - 1
            return years * 365 + years / 4 - years / 100 + years / 400
        }

        /// How many days of a year come before a month.
        private static func number(beforeMonth month: Int, of year: Int) -> Int {
            let days = [0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334, 365][month - 1]
            return month > 2 && isLeap(year) ? days + 1 : days
        }

        private static func isLeap(_ year: Int) -> Bool {
            year.isMultiple(of: 4) && (!year.isMultiple(of: 100) || year.isMultiple(of: 400))
        }

        /// The day so many days after the first of January of the year 1.
        init(number: Int) {
            // 400 years have 146,097 days, wherever they begin. The estimate is the year itself or the one before.
            var year = number * 400 / 146_097 + 1
            if Self.number(beforeYear: year + 1) <= number { year += 1 }
            let dayOfYear = number - Self.number(beforeYear: year)
            let month = (1...12).last { Self.number(beforeMonth: $0, of: year) <= dayOfYear } ?? 1
            self.year = year
            self.month = month
            day = dayOfYear - Self.number(beforeMonth: month, of: year) + 1
        }

        /// A day of a month; nil if there is no such day.
        init?(year: Int, month: Int, day: Int) {
            guard year >= 1, (1...12).contains(month), day >= 1 else { return nil }
            let length = Self.number(beforeMonth: month + 1, of: year) - Self.number(beforeMonth: month, of: year)
            guard day <= length else { return nil }
            self.year = year
            self.month = month
            self.day = day
        }

        var number: Int {
            Self.number(beforeYear: year) + Self.number(beforeMonth: month, of: year) + day - 1
        }
    }
}

// MARK: - Reading

extension Timestamp {
    private struct Reader {
        var rest: Substring.UTF8View

        mutating func date() -> Date? {
            guard let year = number(4), take("-"), let month = number(2), take("-"), let day = number(2),
                let date = Day(year: year, month: month, day: day), take("T") || take("t"),
                let hour = number(2), hour < 24, take(":"), let minute = number(2), minute < 60, take(":"),
                // The 61st second is a leap second.
                let second = number(2), second <= 60, let fraction = fraction(), let offset = offset(), rest.isEmpty
            else { return nil }
            let seconds =
                (date.number - Day.of1970) * secondsPerDay + (hour * 60 + minute) * 60 + second - offset * 60
            return Date(timeIntervalSince1970: Double(seconds) + fraction)
        }

        private mutating func number(_ count: Int) -> Int? {
            let digits = rest.prefix(count)
            guard digits.count == count, digits.allSatisfy({ (0x30...0x39).contains($0) }) else { return nil }
            rest = rest.dropFirst(count)
            return digits.reduce(0) { $0 * 10 + Int($1 - 0x30) }
        }

        private mutating func take(_ scalar: Unicode.Scalar) -> Bool {
            guard rest.first == UInt8(ascii: scalar) else { return false }
            rest = rest.dropFirst()
            return true
        }

        /// The part of a second; a date holds no more of it than nine digits.
        private mutating func fraction() -> Double? {
            guard take(".") else { return 0 }
            let digits = rest.prefix { (0x30...0x39).contains($0) }
            guard !digits.isEmpty else { return nil }
            rest = rest.dropFirst(digits.count)
            return digits.prefix(9).reversed().reduce(0) { ($0 + Double($1 - 0x30)) / 10 }
        }

        /// The minutes by which the local time is ahead of UTC.
        private mutating func offset() -> Int? {
            if take("Z") || take("z") { return 0 }
            let sign = take("+") ? 1 : -1
            guard sign == 1 || take("-"), let hour = number(2), hour < 24, take(":"), let minute = number(2),
                minute < 60
            else { return nil }
            return sign * (hour * 60 + minute)
        }
    }
}

extension Int {
    /// Divides so that the remainder is never negative.
    fileprivate func floored(by divisor: Int) -> (quotient: Int, remainder: Int) {
        let (quotient, remainder) = quotientAndRemainder(dividingBy: divisor)
        return remainder < 0 ? (quotient - 1, remainder + divisor) : (quotient, remainder)
    }
}
