/// How a setting's value is written, and what may be written.
struct SettingFormat<Value: Sendable>: Sendable {
    /// What is allowed, as it follows "allowed:".
    let allowed: String
    /// Takes what was written; nil if it is not allowed.
    let read: @Sendable (_ text: String) -> Value?
    /// Writes a value so that it can be read; nil for none.
    let write: @Sendable (_ value: Value) -> String?
    /// Whether the text is a list, whose elements are separated by white space.
    var isList = false
}

extension SettingFormat where Value == String {
    /// Any text but the empty one.
    static func text(_ allowed: String) -> SettingFormat {
        SettingFormat(allowed: allowed, read: { $0.isEmpty ? nil : $0 }, write: { $0 })
    }
}

extension SettingFormat where Value == Int {
    /// A whole number.
    static func number(_ range: ClosedRange<Int>) -> SettingFormat {
        SettingFormat(
            allowed: "a whole number from \(range.lowerBound) to \(range.upperBound)",
            read: { text in Int(text).flatMap { range.contains($0) ? $0 : nil } },
            write: { "\($0)" }
        )
    }

    /// A number of bytes.
    static func bytes(_ range: ClosedRange<Int>) -> SettingFormat {
        SettingFormat(
            allowed: "bytes from \(ByteCount.write(range.lowerBound)) to \(ByteCount.write(range.upperBound)), "
                + "as 4096, 64KiB or 1MiB",
            read: { text in ByteCount.read(text).flatMap { range.contains($0) ? $0 : nil } },
            write: { ByteCount.write($0) }
        )
    }
}

extension SettingFormat where Value == Duration {
    /// A time span.
    static func duration(_ range: ClosedRange<Duration>) -> SettingFormat {
        SettingFormat(
            allowed: "a time from \(TimeSpan.write(range.lowerBound)) to \(TimeSpan.write(range.upperBound)), "
                + "as 500ms, 5s, 2m or 1h",
            read: { text in TimeSpan.read(text).flatMap { range.contains($0) ? $0 : nil } },
            write: { TimeSpan.write($0) }
        )
    }

    /// A time span of whole seconds.
    static func seconds(_ range: ClosedRange<Duration>) -> SettingFormat {
        SettingFormat(
            allowed: "whole seconds from \(TimeSpan.write(range.lowerBound)) to \(TimeSpan.write(range.upperBound)), "
                + "as 5s, 2m or 1h",
            read: { text in
                guard let span = TimeSpan.read(text), span.components.attoseconds == 0 else { return nil }
                return range.contains(span) ? span : nil
            },
            write: { TimeSpan.write($0) }
        )
    }
}

extension SettingFormat where Value == Bool {
    /// Yes or no.
    static var boolean: SettingFormat {
        SettingFormat(
            allowed: "true or false",
            read: { ["true": true, "false": false][$0] },
            write: { "\($0)" }
        )
    }
}

extension SettingFormat where Value: CaseIterable & RawRepresentable, Value.RawValue == String {
    /// One of some words.
    static var word: SettingFormat {
        SettingFormat(
            allowed: Value.allCases.map(\.rawValue).joined(separator: ", "),
            read: { Value(rawValue: $0) },
            write: { $0.rawValue }
        )
    }
}

extension SettingFormat {
    /// Values of another format, separated by white space.
    static func list<Element>(of element: SettingFormat<Element>) -> SettingFormat where Value == [Element] {
        SettingFormat(
            allowed: "\(element.allowed); several separated by spaces, in the file as a list",
            read: { text in
                let words = text.split(whereSeparator: \.isWhitespace)
                let values = words.compactMap { element.read(String($0)) }
                return values.count == words.count ? values : nil
            },
            write: { $0.isEmpty ? nil : $0.compactMap(element.write).joined(separator: " ") },
            isList: true
        )
    }

    /// A value of another format, or none.
    static func optional<Wrapped>(_ format: SettingFormat<Wrapped>) -> SettingFormat where Value == Wrapped? {
        SettingFormat(
            allowed: format.allowed,
            read: { format.read($0).map { .some($0) } },
            write: { $0.flatMap(format.write) }
        )
    }
}
