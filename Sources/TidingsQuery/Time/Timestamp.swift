#if canImport(FoundationEssentials)
package import FoundationEssentials
#else
package import Foundation
#endif

/// A moment, in whole nanoseconds since 1970: exact where a `Date` would round, so that an age of five seconds is one.
package struct Timestamp: Hashable, Comparable, Sendable {
    package var nanoseconds: Int64

    package static let distantFuture = Timestamp(nanoseconds: .max)

    package init(nanoseconds: Int64) {
        self.nanoseconds = nanoseconds
    }

    package init(_ date: Date) {
        let nanoseconds = date.timeIntervalSince1970 * 1e9
        // Beyond the year 2262, or before 1677.
        self.nanoseconds = abs(nanoseconds) < 9.2e18 ? Int64(nanoseconds) : nanoseconds < 0 ? .min : .max
    }

    package var date: Date { Date(timeIntervalSince1970: Double(nanoseconds) / 1e9) }

    package static func < (left: Timestamp, right: Timestamp) -> Bool { left.nanoseconds < right.nanoseconds }

    /// The moment a while later; the end of time if the sum is beyond it.
    package static func + (left: Timestamp, right: Duration) -> Timestamp {
        let (sum, overflow) = left.nanoseconds.addingReportingOverflow(right.nanoseconds)
        return overflow ? .distantFuture : Timestamp(nanoseconds: sum)
    }

    package static func - (left: Timestamp, right: Timestamp) -> Duration {
        let (difference, overflow) = left.nanoseconds.subtractingReportingOverflow(right.nanoseconds)
        return .nanoseconds(overflow ? .max : difference)
    }
}

extension Duration {
    /// Whole nanoseconds, at most what fits.
    var nanoseconds: Int64 {
        let (seconds, attoseconds) = components
        let (product, overflow) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
        if overflow { return seconds < 0 ? .min : .max }
        let (sum, sumOverflow) = product.addingReportingOverflow(attoseconds / 1_000_000_000)
        return sumOverflow ? .max : sum
    }
}
