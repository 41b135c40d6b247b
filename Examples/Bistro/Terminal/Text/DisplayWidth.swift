/// How many columns of a terminal a text takes, as far as that can be known: terminals differ in what is rare.
enum DisplayWidth {
    static func of(_ text: String) -> Int { text.reduce(0) { $0 + of($1) } }

    static func of(_ character: Character) -> Int {
        let scalars = character.unicodeScalars
        // With the variation selector for emoji, the text's form becomes the wide one.
        if scalars.count > 1, scalars.contains("\u{FE0F}") { return 2 }
        return scalars.map(of).max() ?? 0
    }

    private static func of(_ scalar: Unicode.Scalar) -> Int {
        if scalar.isASCII { return scalar.properties.generalCategory == .control ? 0 : 1 }
        switch scalar.properties.generalCategory {
        case .nonspacingMark, .enclosingMark, .format, .control: return 0
        default: return isWide(scalar) ? 2 : 1
        }
    }

    /// [East Asian Width](https://www.unicode.org/reports/tr11/) W and F, by blocks.
    private static func isWide(_ scalar: Unicode.Scalar) -> Bool {
        if scalar.properties.isEmojiPresentation { return true }
        return switch scalar.value {
        case 0x1100...0x115F, 0x2E80...0x303E, 0x3041...0x4DBF, 0x4E00...0xA4CF, 0xA960...0xA97F, 0xAC00...0xD7A3,
            0xF900...0xFAFF, 0xFE30...0xFE6F, 0xFF00...0xFF60, 0xFFE0...0xFFE6, 0x1F300...0x1F64F, 0x1F900...0x1F9FF,
            0x20000...0x3FFFD:
            true
        default: false
        }
    }
}

extension String {
    /// Its beginning, in at most so many columns; what was cut off leaves an ellipsis.
    func clipped(to columns: Int) -> String {
        guard DisplayWidth.of(self) > columns else { return self }
        guard columns > 0 else { return "" }
        var (result, width) = ("", 0)
        for character in self {
            let own = DisplayWidth.of(character)
            guard width + own < columns else { break }
            result.append(character)
            width += own
        }
        return result + "…"
    }

    /// Exactly so many columns, clipped or with spaces behind it.
    func fitted(to columns: Int) -> String {
        let clipped = clipped(to: columns)
        return clipped + String(repeating: " ", count: max(columns - DisplayWidth.of(clipped), 0))
    }
}
