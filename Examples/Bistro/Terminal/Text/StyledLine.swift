/// A line of a terminal: pieces of text, each in a style.
struct StyledLine: Hashable, Sendable, ExpressibleByStringLiteral {
    /// How a text stands out.
    enum Style: Hashable, Sendable {
        case plain
        case strong
        case quiet
        case selected
        case good
        case working
        case bad

        /// Select Graphic Rendition ([ECMA-48](https://ecma-international.org/publications-and-standards/standards/ecma-48/),
        /// 8.3.117).
        fileprivate var rendition: String? {
            switch self {
            case .plain: nil
            case .strong: "1"
            case .quiet: "2"
            case .selected: "7"
            case .good: "32"
            case .working: "33"
            case .bad: "31"
            }
        }
    }

    private struct Piece: Hashable, Sendable {
        var text: String
        var style: Style
    }

    private var pieces: [Piece] = []

    /// - Parameter text: Anything: what cannot be printed is replaced.
    init(_ text: String = "", _ style: Style = .plain) {
        append(text, style)
    }

    init(stringLiteral value: String) { self.init(value) }

    mutating func append(_ text: String, _ style: Style = .plain) {
        guard !text.isEmpty else { return }
        pieces.append(Piece(text: text.printable, style: style))
    }

    static func + (left: StyledLine, right: StyledLine) -> StyledLine {
        var line = left
        line.pieces += right.pieces
        return line
    }

    /// What it says.
    var text: String { pieces.map(\.text).joined() }

    var width: Int { pieces.reduce(0) { $0 + DisplayWidth.of($1.text) } }

    /// Its beginning, in at most so many columns.
    func clipped(to columns: Int) -> StyledLine {
        guard width > columns else { return self }
        var line = StyledLine()
        var room = columns
        for piece in pieces {
            // An ellipsis where the piece ends, also if only the next one is too long.
            let isLast = DisplayWidth.of(piece.text) >= room
            line.append(isLast ? (piece.text + " ").clipped(to: room) : piece.text, piece.style)
            room -= DisplayWidth.of(piece.text)
            if isLast { break }
        }
        return line
    }

    /// Exactly so many columns.
    func fitted(to columns: Int) -> StyledLine {
        var line = clipped(to: columns)
        line.append(String(repeating: " ", count: max(columns - line.width, 0)))
        return line
    }

    /// The same in one style.
    func styled(_ style: Style) -> StyledLine { StyledLine(text, style) }

    /// How it is written to a terminal.
    var encoded: String {
        pieces.map { piece in
            piece.style.rendition.map { "\u{1B}[\($0)m\(piece.text)\u{1B}[0m" } ?? piece.text
        }
        .joined()
    }
}
