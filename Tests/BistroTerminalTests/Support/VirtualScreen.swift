@testable import BistroTerminal

/// What a person sees of what is written to a terminal: as much of ECMA-48 as the program uses, and nothing that it does
/// not know.
struct VirtualScreen {
    private(set) var size: TerminalSize
    /// One text for each column; the right half of a wide character is empty.
    private var cells: [[String]]
    private var row = 0
    private var column = 0
    /// What was written that is none of the sequences above: there must not be any.
    private(set) var surprises: [String] = []
    private(set) var isAlternate = false
    private(set) var showsCursor = true
    private var wraps = true

    init(_ size: TerminalSize) {
        self.size = size
        cells = Self.empty(size)
    }

    private static func empty(_ size: TerminalSize) -> [[String]] {
        Array(repeating: Array(repeating: " ", count: size.columns), count: size.rows)
    }

    /// What each line says.
    var lines: [String] {
        cells.map { line in
            var text = line.joined()
            while text.last == " " { text.removeLast() }
            return text
        }
    }

    /// All of it, without empty lines at the end.
    var text: String {
        var lines = lines
        while lines.last == "" { lines.removeLast() }
        return lines.joined(separator: "\n")
    }

    /// Where the next character comes.
    var cursor: (row: Int, column: Int) { (row, column) }

    mutating func write(_ text: String) {
        // "\r\n" is one character.
        var rest = Substring(text.replacing("\r\n", with: "\r\u{0}\n"))
        while let character = rest.popFirst() {
            switch character {
            case "\u{1B}": control(&rest)
            case "\r": column = 0
            case "\n": feed()
            case "\u{0}": break
            default: put(character)
            }
        }
    }

    private mutating func feed() {
        if row < size.rows - 1 {
            row += 1
            return
        }
        cells.removeFirst()
        cells.append(Array(repeating: " ", count: size.columns))
    }

    private mutating func put(_ character: Character) {
        if character.unicodeScalars.contains(where: { $0.properties.generalCategory == .control }) {
            return surprises.append("\(character.unicodeScalars.map(\.value))")
        }
        let width = DisplayWidth.of(character)
        if column + width > size.columns {
            guard wraps else { return surprises.append("\(character) behind the last column") }
            column = 0
            feed()
        }
        cells[row][column] = String(character)
        for next in column + 1..<max(column + width, column + 1) { cells[row][next] = "" }
        column += width
    }

    private mutating func control(_ rest: inout Substring) {
        guard rest.popFirst() == "[", let end = rest.firstIndex(where: { $0.isLetter }) else {
            return surprises.append("escape")
        }
        let (parameters, final) = (String(rest[..<end]), rest[end])
        rest = rest[rest.index(after: end)...]
        let numbers = parameters.split(separator: ";").map { Int($0) ?? -1 }
        switch final {
        case "H": (row, column) = (min(numbers[0], size.rows) - 1, min(numbers[1], size.columns) - 1)
        case "A": row = max(row - (numbers.first ?? 1), 0)
        case "G": column = min(numbers[0], size.columns) - 1
        // Behind the last column, the cursor is still on it.
        case "K": for index in min(column, size.columns - 1)..<size.columns { cells[row][index] = " " }
        case "J": erase(parameters)
        case "m": break
        case "h", "l": mode(parameters, final == "h")
        default: surprises.append(parameters + String(final))
        }
    }

    private mutating func erase(_ parameters: String) {
        guard parameters != "2" else {
            cells = Self.empty(size)
            return
        }
        for index in column..<size.columns { cells[row][index] = " " }
        for line in row + 1..<max(size.rows, row + 1) { cells[line] = Self.empty(size)[0] }
    }

    private mutating func mode(_ parameters: String, _ isSet: Bool) {
        switch parameters {
        case "?1049": isAlternate = isSet
        case "?25": showsCursor = isSet
        case "?7": wraps = isSet
        case "?2026": break
        default: surprises.append(parameters)
        }
    }
}
