import Foundation

extension Date {
    /// As it is written on the wire: in UTC, with milliseconds.
    var wire: String {
        // The style leaves away what is beyond them, also where a millisecond has no exact number of seconds.
        addingTimeInterval(0.0005).formatted(ISO8601FormatStyle(includingFractionalSeconds: true))
    }
}
