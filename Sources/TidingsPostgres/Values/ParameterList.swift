#if PostgreSQL
import TidingsEntities
import TidingsWire

#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

/// The parameters of a statement, as libpq takes them: text that ends with a zero.
struct ParameterList {
    /// The types, which the server infers where there is a zero.
    let types: [UInt32]
    private let bytes: [UInt8]
    private let offsets: [Int?]

    init(_ values: [SQLValue]) throws {
        var (bytes, offsets): ([UInt8], [Int?]) = ([], [])
        for value in values {
            guard let text = try Self.text(of: value) else {
                offsets.append(nil)
                continue
            }
            offsets.append(bytes.count)
            bytes += text.utf8
            bytes.append(0)
        }
        types = values.map(Self.type)
        self.bytes = bytes
        self.offsets = offsets
    }

    /// Lends the parameters in C's form.
    func withPointers<Result>(
        _ body: (UnsafePointer<UInt32>?, UnsafePointer<UnsafePointer<CChar>?>?) -> Result
    ) -> Result {
        bytes.withUnsafeBytes { bytes in
            let start = bytes.baseAddress
            let pointers = offsets.map { offset in
                offset.flatMap { start?.advanced(by: $0).assumingMemoryBound(to: CChar.self) }
            }
            return types.withUnsafeBufferPointer { types in
                pointers.withUnsafeBufferPointer { body(types.baseAddress, $0.baseAddress) }
            }
        }
    }

    /// Text has no type of its own, so that it fits where the server expects JSON or a name. Null has none either.
    private static func type(of value: SQLValue) -> UInt32 {
        switch value {
        case .null, .text: 0
        case .integer: TypeIdentifier.int8
        case .real: TypeIdentifier.float8
        case .boolean: TypeIdentifier.bool
        case .date: TypeIdentifier.timestamptz
        case .uuid: TypeIdentifier.uuid
        }
    }

    private static func text(of value: SQLValue) throws -> String? {
        switch value {
        case .null: return nil
        case .integer(let number): return String(number)
        case .boolean(let isTrue): return isTrue ? "t" : "f"
        case .uuid(let uuid): return uuid.uuidString
        case .real(let number):
            guard number.isFinite else {
                throw StoreError(.other, "A number to be stored is infinite or not a number.")
            }
            return number.description
        case .text(let text):
            guard !text.utf8.contains(0) else {
                throw StoreError(.other, "A text to be stored has the character U+0000 in it; take it out.")
            }
            return text
        case .date(let date):
            guard let text = Timestamp.text(date) else {
                throw StoreError(.other, "A date to be stored is not within the years 1 to 9999.")
            }
            return text
        }
    }
}

/// PostgreSQL's built-in types, which have these numbers everywhere (`pg_type.dat`).
enum TypeIdentifier {
    static let bool: UInt32 = 16
    static let char: UInt32 = 18
    static let name: UInt32 = 19
    static let int8: UInt32 = 20
    static let int2: UInt32 = 21
    static let int4: UInt32 = 23
    static let text: UInt32 = 25
    static let oid: UInt32 = 26
    static let json: UInt32 = 114
    static let float4: UInt32 = 700
    static let float8: UInt32 = 701
    static let unknown: UInt32 = 705
    static let bpchar: UInt32 = 1042
    static let varchar: UInt32 = 1043
    static let timestamp: UInt32 = 1114
    static let timestamptz: UInt32 = 1184
    static let numeric: UInt32 = 1700
    static let void: UInt32 = 2278
    static let uuid: UInt32 = 2950
    static let jsonb: UInt32 = 3802
}
#endif
