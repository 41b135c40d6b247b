/// A line that is being typed.
struct LineEditor: Hashable {
    /// What a key has led to.
    enum Outcome: Hashable {
        case edited
        case line(String)
        /// Nothing more will come.
        case end
    }

    private var characters: [Character] = []
    private var cursor = 0
    private let longest = 500

    mutating func press(_ key: Key) -> Outcome {
        switch key {
        case .enter: return take()
        case .control("d") where characters.isEmpty: return .end
        case .character(let character): insert(character)
        case .backspace: if cursor > 0 { remove(cursor - 1..<cursor) }
        case .delete, .control("d"): if cursor < characters.count { remove(cursor..<cursor + 1) }
        case .left: cursor = max(cursor - 1, 0)
        case .right: cursor = min(cursor + 1, characters.count)
        case .home, .control("a"): cursor = 0
        case .end, .control("e"): cursor = characters.count
        case .control("u"): remove(0..<cursor)
        case .control("k"): remove(cursor..<characters.count)
        case .control("w"): remove(wordStart..<cursor)
        case .escape, .up, .down, .control: break
        }
        return .edited
    }

    /// What fits of it into so many columns, and in which of them the cursor is.
    func visible(in columns: Int) -> (text: String, cursor: Int) {
        var (first, width) = (cursor, 0)
        while first > 0 {
            let own = DisplayWidth.of(characters[first - 1])
            guard width + own < columns else { break }
            (first, width) = (first - 1, width + own)
        }
        return (String(characters[first...]).clipped(to: columns), width)
    }

    private mutating func take() -> Outcome {
        defer { self = LineEditor() }
        return .line(String(characters))
    }

    private mutating func insert(_ character: Character) {
        guard characters.count < longest else { return }
        characters.insert(character, at: cursor)
        cursor += 1
    }

    private mutating func remove(_ range: Range<Int>) {
        characters.removeSubrange(range)
        cursor = range.lowerBound
    }

    private var wordStart: Int {
        var start = cursor
        while start > 0, characters[start - 1] == " " { start -= 1 }
        while start > 0, characters[start - 1] != " " { start -= 1 }
        return start
    }
}
