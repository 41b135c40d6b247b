/// What somebody types into an order.
enum OrderEntryCommand: Hashable {
    /// A dish, possibly with a quantity: the menu knows.
    case add(String)
    /// Nil takes it away.
    case note(String?)
    /// By its number, from 1.
    case remove(Int)
    case menu
    case help
    case send
    case nothing

    static let usage = """
        Type the beginning of a dish, with a quantity if there are several: `burger 2`.
        `note TEXT`, `remove NUMBER`, `menu`, `send`.
        """

    /// - Throws: ``CommandFailure`` if it is none.
    init(_ line: String) throws(CommandFailure) {
        let line = line.trimmed
        let verb = line.prefix { !$0.isWhitespace }
        let rest = line.dropFirst(verb.count).trimmed
        switch (verb.lowercased(), rest.isEmpty) {
        case ("", _): self = .nothing
        case ("note", _): self = .note(rest.isEmpty ? nil : rest)
        case ("remove", _):
            guard let number = Int(rest), number > 0 else {
                throw CommandFailure("Which one? `remove 2` takes the second dish back.")
            }
            self = .remove(number)
        case ("menu", true): self = .menu
        case ("help", true), ("?", true): self = .help
        case ("send", true), ("end", true): self = .send
        default: self = .add(line)
        }
    }
}
