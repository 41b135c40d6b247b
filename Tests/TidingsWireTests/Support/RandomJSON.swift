import TestSupport

/// Writes random JSON in many ways of writing it: white space, escapes, forms of numbers.
struct RandomJSON {
    var generator: SeededGenerator

    init(seed: UInt64) {
        generator = SeededGenerator(seed: seed)
    }

    mutating func text() -> String {
        space() + value(depth: generator.number(in: 0...4)) + space()
    }

    mutating func object(depth: Int) -> String {
        // Distinct names: of doubles every reader keeps another one.
        let members = (0..<generator.number(in: 0...4)).map { number in
            string(prefix: "\(number)") + space() + ":" + space() + value(depth: depth - 1) + space()
        }
        return "{" + space() + members.joined(separator: "," + space()) + "}"
    }

    private mutating func value(depth: Int) -> String {
        switch generator.number(in: 0...(depth > 0 ? 6 : 4)) {
        case 0: "null"
        case 1: generator.once(in: 2) ? "true" : "false"
        case 2: number()
        case 3, 4: string()
        case 5: object(depth: depth)
        default: array(depth: depth)
        }
    }

    private mutating func array(depth: Int) -> String {
        let values = (0..<generator.number(in: 0...4)).map { _ in value(depth: depth - 1) + space() }
        return "[" + space() + values.joined(separator: "," + space()) + "]"
    }

    /// Small enough that every reader can hold it.
    private mutating func number() -> String {
        var number = generator.once(in: 2) ? "-" : ""
        number += generator.once(in: 4) ? "0" : String(generator.number(in: 1...999_999))
        if generator.once(in: 2) { number += "." + String(generator.number(in: 0...9999)) }
        if generator.once(in: 3) {
            number += generator.once(in: 2) ? "e" : "E"
            number += ["", "+", "-"][generator.number(in: 0...2)]
            number += String(generator.number(in: 0...9))
        }
        return number
    }

    private mutating func string(prefix: String = "") -> String {
        var text = "\"" + prefix
        for scalar in generator.text(generator.number(in: 0...8)).unicodeScalars { text += escaped(scalar) }
        return text + "\""
    }

    private mutating func escaped(_ scalar: Unicode.Scalar) -> String {
        switch scalar {
        case "\"": "\\\""
        case "\\": "\\\\"
        case "/" where generator.once(in: 2): "\\/"
        case "\n" where generator.once(in: 2): "\\n"
        case "\u{0}"..."\u{1F}": unicodeEscape(scalar)
        default: generator.once(in: 4) ? unicodeEscape(scalar) : String(scalar)
        }
    }

    private mutating func unicodeEscape(_ scalar: Unicode.Scalar) -> String {
        String(scalar).utf16.map { unit in
            let digits = String(unit, radix: 16, uppercase: generator.once(in: 2))
            return "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
        }.joined()
    }

    private mutating func space() -> String {
        generator.once(in: 4) ? [" ", "\n", "\r\n", "\t", "  "][generator.number(in: 0...4)] : ""
    }

    /// The text with one fault, or what may be one.
    mutating func mutated(_ text: String) -> [UInt8] {
        let alphabet = Array(#"{}[]:,"\/bfnrtu0123456789+-.eEaxz "#.utf8) + [0x09, 0x0A, 0x0D, 0x1F, 0x7F]
        var bytes = Array(text.utf8)
        let place = generator.number(in: 0...(bytes.count - 1))
        let byte = alphabet[generator.number(in: 0...(alphabet.count - 1))]
        switch generator.number(in: 0...3) {
        case 0: bytes.remove(at: place)
        case 1: bytes.insert(byte, at: place)
        case 2: bytes[place] = byte
        default: bytes.removeSubrange(place...)
        }
        return bytes
    }
}
