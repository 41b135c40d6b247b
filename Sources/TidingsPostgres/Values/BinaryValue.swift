#if PostgreSQL
import TidingsEntities

#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

/// Reads values in PostgreSQL's binary form, which does not depend on the session's settings.
struct BinaryValue {
    private let bytes: UnsafeRawBufferPointer

    init(_ bytes: UnsafeRawBufferPointer) {
        self.bytes = bytes
    }

    /// The value; nil if the type is not one that stores use, or the bytes are none of that type.
    func value(of type: UInt32) -> SQLValue? {
        switch type {
        case TypeIdentifier.bool: bytes.first.map { .boolean($0 != 0) }
        case TypeIdentifier.int2: integer(Int16.self).map { .integer(Int64($0)) }
        case TypeIdentifier.int4: integer(Int32.self).map { .integer(Int64($0)) }
        case TypeIdentifier.int8: integer(Int64.self).map { .integer($0) }
        case TypeIdentifier.oid: integer(UInt32.self).map { .integer(Int64($0)) }
        case TypeIdentifier.float4: integer(UInt32.self).map { .real(Double(Float(bitPattern: $0))) }
        case TypeIdentifier.float8: integer(UInt64.self).map { .real(Double(bitPattern: $0)) }
        case TypeIdentifier.numeric: number()
        case TypeIdentifier.text, TypeIdentifier.varchar, TypeIdentifier.bpchar, TypeIdentifier.name,
            TypeIdentifier.char, TypeIdentifier.json, TypeIdentifier.unknown:
            .text(String(decoding: bytes, as: UTF8.self))
        // The first byte is the version of the form, 1.
        case TypeIdentifier.jsonb: .text(String(decoding: bytes.dropFirst(), as: UTF8.self))
        case TypeIdentifier.timestamptz, TypeIdentifier.timestamp: date()
        case TypeIdentifier.uuid: uuid()
        case TypeIdentifier.void: .null
        default: nil
        }
    }

    private func integer<Number: FixedWidthInteger>(_: Number.Type, at offset: Int = 0) -> Number? {
        guard bytes.count >= offset + MemoryLayout<Number>.size else { return nil }
        return Number(bigEndian: bytes.loadUnaligned(fromByteOffset: offset, as: Number.self))
    }

    /// Microseconds since 2000, to the nearest millisecond; nil for the infinities.
    private func date() -> SQLValue? {
        guard let microseconds = integer(Int64.self), microseconds != .max, microseconds != .min else { return nil }
        let (quotient, remainder) = microseconds.quotientAndRemainder(dividingBy: 1000)
        let milliseconds = quotient + (remainder >= 500 ? 1 : remainder < -500 ? -1 : 0)
        return .date(Date(timeIntervalSince1970: Double(milliseconds + Self.millisecondsTo2000) / 1000))
    }

    private static let millisecondsTo2000: Int64 = 946_684_800_000

    private func uuid() -> SQLValue? {
        guard bytes.count == 16 else { return nil }
        return .uuid(UUID(uuid: bytes.loadUnaligned(as: uuid_t.self)))
    }

    /// What sums and averages of whole numbers are: an integer if it is one that fits, or else the nearest floating-point
    /// number. Four digits each, after their count, the first one's place, the sign and the digits after the point.
    private func number() -> SQLValue? {
        guard let count = integer(Int16.self), let weight = integer(Int16.self, at: 2),
            let sign = integer(UInt16.self, at: 4),
            sign == 0 || sign == 0x4000
        else { return nil }
        let groups = (0..<Int(count)).compactMap { integer(Int16.self, at: 8 + $0 * 2) }
        guard groups.count == Int(count) else { return nil }
        let text = groups.map { String(repeating: "0", count: 4 - String($0).count) + String($0) }.joined()
        let zeros = (Int(weight) + 1 - groups.count) * 4
        let mark = sign == 0 ? "" : "-"
        if zeros >= 0, let whole = Int64(mark + "0" + text + String(repeating: "0", count: zeros)) {
            return .integer(whole)
        }
        return Double("\(mark)0\(text)e\(zeros)").map { .real($0) }
    }
}
#endif
