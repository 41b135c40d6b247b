import Testing

@testable import TidingsWire

@Suite("JSONScanner: depth")
struct JSONScannerDepthTests {
    enum Shape: CaseIterable {
        case arrays
        case objects
        case both
    }

    static func text(_ shape: Shape, levels: Int, inside: String = "") -> [UInt8] {
        let openings = (0..<levels).map { level in opening(shape, level: level, innermost: level == levels - 1) }
        let closings = (0..<levels).reversed().map { level in isArray(shape, level: level) ? "]" : "}" }
        return Array((openings.joined() + inside + closings.joined()).utf8)
    }

    private static func isArray(_ shape: Shape, level: Int) -> Bool {
        shape == .arrays || (shape == .both && !level.isMultiple(of: 2))
    }

    private static func opening(_ shape: Shape, level: Int, innermost: Bool) -> String {
        isArray(shape, level: level) ? "[" : innermost ? "{" : "{\"a\":"
    }

    @Test("The limit is the deepest text", arguments: Shape.allCases)
    func deepest(shape: Shape) throws {
        let text = Self.text(shape, levels: WireLimits.jsonDepth)
        #expect(try JSONScanner.check(text) == (shape == .arrays ? .array : .object))
        #expect(try JSONScanner.members(of: text)?.count == (shape == .arrays ? nil : 1))
        #expect(try JSONScanner.strings(of: text) == nil)
        #expect(try JSONScanner.string(of: text) == nil)
    }

    @Test("One level more is too deep", arguments: Shape.allCases)
    func tooDeep(shape: Shape) {
        let text = Self.text(shape, levels: WireLimits.jsonDepth + 1)
        let fault = #expect(throws: JSONScanner.Fault.self) { try JSONScanner.check(text) }
        #expect(fault?.message.contains("128") == true)
        #expect(throws: JSONScanner.Fault.self) { try JSONScanner.members(of: text) }
        #expect(throws: JSONScanner.Fault.self) { try JSONScanner.strings(of: text) }
        #expect(throws: JSONScanner.Fault.self) { try JSONScanner.string(of: text) }
    }

    @Test("Values that are no containers have no level")
    func scalarsInside() throws {
        let text = Self.text(.arrays, levels: WireLimits.jsonDepth, inside: "1,\"a\",null")
        #expect(try JSONScanner.check(text) == .array)
    }

    @Test("Levels beside each other do not add up")
    func siblings() throws {
        let deep = String(decoding: Self.text(.arrays, levels: WireLimits.jsonDepth - 1), as: UTF8.self)
        #expect(try JSONScanner.check(Array("[\(deep),\(deep),\(deep)]".utf8)) == .array)
    }

    @Test("A text that is all brackets needs no more memory than the limit", arguments: ["[", "{\"a\":", "[["])
    func bomb(unit: String) {
        let text = Array(String(repeating: unit, count: 100_000).utf8)
        #expect(throws: JSONScanner.Fault.self) { try JSONScanner.check(text) }
    }
}
