import GRDB
import TidingsEntities
import TidingsWire

#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

extension SQLValue {
    /// The value as SQLite keeps it.
    func databaseValue() throws -> DatabaseValue {
        switch self {
        case .null: .null
        case .integer(let value): value.databaseValue
        case .real(let value): try Self.checked(value).databaseValue
        case .text(let value): try Self.checked(value).databaseValue
        case .boolean(let value): (value ? 1 : 0).databaseValue
        case .date(let value): try Self.text(of: value).databaseValue
        case .uuid(let value): value.uuidString.lowercased().databaseValue
        }
    }

    /// What SQLite kept.
    init(_ value: DatabaseValue, column: @autoclosure () -> String) throws {
        switch value.storage {
        case .null: self = .null
        case .int64(let number): self = .integer(number)
        case .double(let number): self = .real(number)
        case .string(let text): self = .text(text)
        case .blob: throw StoreError(.other, "The column \(column()) holds bytes; select it as text.")
        }
    }

    private static func checked(_ value: Double) throws -> Double {
        guard value.isFinite else { throw StoreError(.other, "A number to be stored is infinite or not a number.") }
        return value
    }

    /// SQLite would keep the text, and its own functions would see it end early.
    private static func checked(_ value: String) throws -> String {
        guard !value.utf8.contains(0) else {
            throw StoreError(.other, "A text to be stored has the character U+0000 in it; take it out.")
        }
        return value
    }

    private static func text(of date: Date) throws -> String {
        guard let text = Timestamp.text(date) else {
            throw StoreError(.other, "A date to be stored is not within the years 1 to 9999.")
        }
        return text
    }
}
