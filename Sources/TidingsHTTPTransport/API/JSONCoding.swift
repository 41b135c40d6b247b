#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

extension JSONEncoder {
    /// Writes dates as APIs do: in UTC, with milliseconds ([RFC 3339](https://www.rfc-editor.org/rfc/rfc3339)).
    static var api: JSONEncoder {
        let encoder = JSONEncoder()
        encoder.dateEncodingStrategy = .custom { date, encoder in
            var container = encoder.singleValueContainer()
            // The style leaves away what is beyond milliseconds, also where one has no exact number of seconds.
            try container.encode(date.addingTimeInterval(0.0005).formatted(.withFraction))
        }
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return encoder
    }
}

extension JSONDecoder {
    /// Reads dates with and without a fraction.
    static var api: JSONDecoder {
        let decoder = JSONDecoder()
        decoder.dateDecodingStrategy = .custom { decoder in
            let container = try decoder.singleValueContainer()
            let text = try container.decode(String.self).uppercased()
            if let date = try? Date.ISO8601FormatStyle.withFraction.parse(text) { return date }
            if let date = try? Date.ISO8601FormatStyle.iso8601.parse(text) { return date }
            throw DecodingError.dataCorruptedError(in: container, debugDescription: "This is no date of RFC 3339.")
        }
        return decoder
    }
}

extension FormatStyle where Self == Date.ISO8601FormatStyle {
    fileprivate static var withFraction: Self { Self(includingFractionalSeconds: true) }
}
