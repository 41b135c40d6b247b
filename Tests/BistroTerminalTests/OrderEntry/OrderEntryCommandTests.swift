import Testing

@testable import BistroTerminal

struct OrderEntryCommandTests {
    @Test(
        arguments: [
            ("burger 2", .add("burger 2")), ("  Crème  ", .add("Crème")), ("note No onions", .note("No onions")),
            ("note", .note(nil)), ("NOTE x", .note("x")), ("remove 2", .remove(2)), ("send", .send), ("end", .send),
            ("menu", .menu), ("menu 2", .add("menu 2")), ("?", .help), ("help", .help), ("", .nothing),
            ("   ", .nothing),
            ("sender", .add("sender")), ("notes", .add("notes")),
        ] as [(String, OrderEntryCommand)]
    )
    func reads(_ line: String, _ command: OrderEntryCommand) throws {
        #expect(try OrderEntryCommand(line) == command)
    }

    @Test(arguments: ["remove", "remove x", "remove 0", "remove -1"])
    func refuses(_ line: String) {
        #expect(throws: CommandFailure.self) { try OrderEntryCommand(line) }
    }
}
