import BistroAPI

/// What somebody does to an order that is open.
enum EditCommand: Hashable {
    /// Whose side, and in what: nil is everything.
    case choose(OrderDraft.Side, String?)
    case table(String)
    /// The empty text takes it away.
    case note(String)
    case status(String)
    case add(String)
    case remove(Int)
    case quantity(Int, Int)
    case show
    case reload
    case save
    case quit
    case help
    case nothing

    static let usage = """
        Change: `table 7`, `note TEXT`, `note`, `status ready`, `add burger 2`, `remove NUMBER`, `quantity NUMBER 3`.
        Then: `save`, `reload`, `show`, `quit`. After a conflict: `mine` or `theirs`, for everything or one: `mine note`.
        """

    /// - Throws: ``CommandFailure`` if it is none.
    init(_ line: String) throws(CommandFailure) {
        let line = line.trimmed
        let verb = line.prefix { !$0.isWhitespace }
        let rest = line.dropFirst(verb.count).trimmed
        switch (verb.lowercased(), rest.isEmpty) {
        case ("", _): self = .nothing
        case ("table", false): self = .table(rest)
        case ("note", _): self = .note(rest)
        case ("status", false): self = .status(rest.lowercased())
        case ("add", false): self = .add(rest)
        case ("remove", false): self = .remove(try Self.number(rest))
        case ("quantity", false): self = try Self.quantity(rest)
        case ("mine", _): self = .choose(.mine, rest.isEmpty ? nil : rest)
        case ("theirs", _): self = .choose(.theirs, rest.isEmpty ? nil : rest)
        case ("show", true): self = .show
        case ("reload", true): self = .reload
        case ("save", true): self = .save
        case ("quit", true): self = .quit
        case ("help", true), ("?", true): self = .help
        default: throw CommandFailure("What is \(line.printable)? `help` says what can be done.")
        }
    }

    private static func quantity(_ text: String) throws(CommandFailure) -> EditCommand {
        let words = text.split(whereSeparator: \.isWhitespace)
        guard words.count == 2 else { throw CommandFailure("Say it as `quantity 2 3`: the second dish, three of it.") }
        return .quantity(try number(words[0]), try Menu.quantity(words[1]))
    }

    private static func number(_ text: some StringProtocol) throws(CommandFailure) -> Int {
        guard let number = Int(text), number > 0 else {
            throw CommandFailure("\(String(text).printable) is no number of a dish.")
        }
        return number
    }
}
