import FoundationEssentials
import TidingsWire

/// Whether a value is what its field may be.
enum FieldCheck {
    /// What is wrong with a value that is of the field's type; nil if nothing is.
    static func fault(of value: SQLValue, in column: EntityColumn) -> FieldFault? {
        let fault: (code: String, message: String)? =
            switch value {
            case .null: column.isNullable ? nil : ("required", "cannot be null")
            case .text(let text): self.fault(of: text, in: column)
            case .real(let real) where !real.isFinite: ("number", "is a finite number")
            case .date(let date) where Timestamp.text(date) == nil: ("date", "is in the years 1 to 9999")
            case .integer, .real, .date: range(value, column.limits)
            case .boolean, .uuid: nil
            }
        return fault.map { FieldFault(pointer: "/" + column.name, code: $0.code, message: $0.message) }
    }

    private static func fault(of text: String, in column: EntityColumn) -> (code: String, message: String)? {
        let limits = column.limits
        if let choices = column.definition.choices {
            // Byte by byte: what looks alike is another text to a database.
            let isOne = choices.contains { $0.utf8.elementsEqual(text.utf8) }
            return isOne ? nil : ("choice", "is one of \(choices.joined(separator: ", "))")
        }
        if let length = limits.length, !length.contains(text.unicodeScalars.count) {
            let (least, most) = (length.lowerBound, length.upperBound)
            return ("length", least == most ? "has \(least) characters" : "has \(least)–\(most) characters")
        }
        if text.unicodeScalars.contains("\0") { return ("characters", "cannot contain the character U+0000") }
        if let pattern = limits.pattern, (try? expression(pattern).wholeMatch(in: text)) == nil {
            return ("pattern", "has to match \(pattern)")
        }
        return nil
    }

    /// A pattern as ECMA-262 takes it too: characters are Unicode scalars, `\d` and `\w` are ASCII.
    static func expression(_ pattern: String) throws -> Regex<AnyRegexOutput> {
        try Regex(pattern).matchingSemantics(.unicodeScalar).asciiOnlyDigits().asciiOnlyWordCharacters()
    }

    private static func range(_ value: SQLValue, _ limits: FieldLimits) -> (code: String, message: String)? {
        let isTooSmall = limits.minimum.map { precedes(value, $0) } ?? false
        let isTooLarge = limits.maximum.map { precedes($0, value) } ?? false
        guard isTooSmall || isTooLarge else { return nil }
        return switch (limits.minimum, limits.maximum) {
        case (let minimum?, let maximum?): ("range", "is \(text(minimum))–\(text(maximum))")
        case (let minimum?, nil): ("range", "is at least \(text(minimum))")
        case (nil, let maximum?): ("range", "is at most \(text(maximum))")
        case (nil, nil): nil
        }
    }

    /// Whether no value is within the limits.
    static func isEmpty(_ limits: FieldLimits) -> Bool {
        guard let minimum = limits.minimum, let maximum = limits.maximum else { return false }
        return precedes(maximum, minimum)
    }

    private static func precedes(_ left: SQLValue, _ right: SQLValue) -> Bool {
        switch (left, right) {
        case (.integer(let left), .integer(let right)): left < right
        case (.real(let left), .real(let right)): left < right
        case (.date(let left), .date(let right)): left < right
        default: false
        }
    }

    private static func text(_ value: SQLValue) -> String {
        switch value {
        case .integer(let value): String(value)
        case .real(let value): String(value)
        case .date(let value): Timestamp.text(value) ?? ""
        default: ""
        }
    }
}
