import FoundationEssentials

extension FieldType {
    /// A value in the one form that records hold: dates as dates to the millisecond, identifiers as identifiers, whatever
    /// a database keeps in their place. nil if it is no value of this type.
    func canonical(_ value: SQLValue) -> SQLValue? {
        if value == .null { return .null }
        switch self {
        case .text: return String(value)?.sqlValue
        case .integer: return Int(value)?.sqlValue
        case .real: return Double(value)?.sqlValue
        case .boolean: return Bool(value)?.sqlValue
        case .uuid: return UUID(value)?.sqlValue
        case .date:
            return Date(value).map {
                .date(Date(timeIntervalSince1970: ($0.timeIntervalSince1970 * 1000).rounded() / 1000))
            }
        }
    }
}
