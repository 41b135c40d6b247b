import FoundationEssentials
import TidingsWire

/// Whether a value is what its field may be.
enum FieldCheck {
    /// What is wrong with a value that is of the field's type.
    static func faults(of value: SQLValue, in column: EntityColumn) -> [FieldFault] {
        let pointer = "/" + column.name
        let limits = column.limits
        var faults: [FieldFault] = []
        func fault(_ code: String, _ message: String) {
            faults.append(FieldFault(pointer: pointer, code: code, message: message))
        }
        switch value {
        case .null:
            if !column.isNullable { fault("required", "cannot be null") }
        case .text(let text):
            if let choices = column.definition.choices {
                if !choices.contains(text) { fault("choice", "is one of \(choices.joined(separator: ", "))") }
                break
            }
            if let length = limits.length, !length.contains(text.unicodeScalars.count) {
                let (least, most) = (length.lowerBound, length.upperBound)
                fault("length", least == most ? "has \(least) characters" : "has \(least)–\(most) characters")
            }
            if text.unicodeScalars.contains("\0") { fault("characters", "cannot contain the character U+0000") }
            if let pattern = limits.pattern, (try? Regex(pattern).wholeMatch(in: text)) == nil {
                fault("pattern", "has to match \(pattern)")
            }
        case .integer(let value):
            check(.integer(value), limits, fault)
        case .real(let value):
            if !value.isFinite { fault("number", "is a finite number") }
            check(.real(value), limits, fault)
        case .date(let value):
            if Timestamp.text(value) == nil { fault("date", "is in the years 1 to 9999") }
            check(.date(value), limits, fault)
        case .boolean, .uuid: break
        }
        return faults
    }

    private static func check(_ sql: SQLValue, _ limits: FieldLimits, _ fault: (String, String) -> Void) {
        let isTooSmall = limits.minimum.map { precedes(sql, $0) } ?? false
        let isTooLarge = limits.maximum.map { precedes($0, sql) } ?? false
        guard isTooSmall || isTooLarge else { return }
        switch (limits.minimum, limits.maximum) {
        case (let minimum?, let maximum?): fault("range", "is \(text(minimum))–\(text(maximum))")
        case (let minimum?, nil): fault("range", "is at least \(text(minimum))")
        case (nil, let maximum?): fault("range", "is at most \(text(maximum))")
        case (nil, nil): break
        }
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
