import BistroAPI
import Foundation

/// The dishes, and how they are found by what somebody types.
struct Menu: Sendable {
    /// What was meant by a line.
    struct Choice: Hashable, Sendable {
        var dish: String
        var quantity: Int
    }

    let dishes: [MenuItem]

    /// Finds what was meant by `burger`, `burger 2`, `2 burger` or `burger=2`.
    ///
    /// - Throws: ``CommandFailure`` if that is nothing, or several.
    func choose(_ text: String) throws(CommandFailure) -> Choice {
        let words = text.split(whereSeparator: \.isWhitespace)
        // A dish may end with a number itself.
        if let dish = exactly(words.joined(separator: " ")) { return Choice(dish: try available(dish), quantity: 1) }
        let (name, number) = Self.parts(text)
        let quantity = try number.map { number throws(CommandFailure) in try Self.quantity(number) } ?? 1
        return Choice(dish: try available(find(name)), quantity: quantity)
    }

    /// - Throws: ``CommandFailure`` if it is no number from 1 to 99.
    static func quantity(_ text: some StringProtocol) throws(CommandFailure) -> Int {
        guard let quantity = Int(text), (1...99).contains(quantity) else {
            throw CommandFailure("A quantity is 1–99, not \(String(text).printable).")
        }
        return quantity
    }

    private static func parts(_ text: String) -> (name: String, quantity: String?) {
        if let equals = text.lastIndex(of: "=") {
            return (String(text[..<equals]), text[text.index(after: equals)...].trimmed)
        }
        let words = text.split(whereSeparator: \.isWhitespace)
        let isNumber = { (word: Substring?) in word?.allSatisfy { $0.isNumber || $0 == "-" } ?? false }
        if words.count > 1, isNumber(words.last) {
            return (words.dropLast().joined(separator: " "), words.last.map(String.init))
        }
        if words.count > 1, isNumber(words.first) {
            return (words.dropFirst().joined(separator: " "), words.first.map(String.init))
        }
        return (words.joined(separator: " "), nil)
    }

    private func exactly(_ name: String) -> MenuItem? {
        dishes.first { $0.name.folded == name.folded }
    }

    /// By the whole name, its beginning, or the beginning of a word in it.
    private func find(_ name: String) throws(CommandFailure) -> MenuItem {
        let wanted = name.trimmed.folded
        guard !wanted.isEmpty else { throw CommandFailure("Which dish?") }
        if let dish = exactly(name.trimmed) { return dish }
        var found = dishes.filter { $0.name.folded.hasPrefix(wanted) }
        if found.isEmpty { found = dishes.filter { $0.name.folded.contains(" " + wanted) } }
        guard let dish = found.first else {
            throw CommandFailure("There is no \(name.trimmed.printable) on the menu.")
        }
        guard found.count == 1 else {
            let names = found.map(\.name.printable).sorted().joined(separator: " or ")
            throw CommandFailure("\(name.trimmed.printable) may be \(names): type more of it.")
        }
        return dish
    }

    private func available(_ dish: MenuItem) throws(CommandFailure) -> String {
        guard dish.isAvailable else { throw CommandFailure("\(dish.name.printable) is sold out.") }
        return dish.name
    }
}

extension StringProtocol {
    /// Without white space around it.
    var trimmed: String { trimmingCharacters(in: .whitespacesAndNewlines) }

    /// As people compare it: without case and accents.
    fileprivate var folded: String {
        folding(options: [.caseInsensitive, .diacriticInsensitive, .widthInsensitive], locale: nil)
    }
}
