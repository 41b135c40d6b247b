import Testing

@testable import BistroTerminal

struct EditCommandTests {
    @Test(
        arguments: [
            ("table 7", .table("7")), ("table Bar 2", .table("Bar 2")), ("note  a b ", .note("a b")),
            ("note", .note("")),
            ("status READY", .status("ready")), ("add burger 2", .add("burger 2")), ("remove 3", .remove(3)),
            ("quantity 1 4", .quantity(1, 4)), ("save", .save), ("reload", .reload), ("show", .show), ("quit", .quit),
            ("mine", .choose(.mine, nil)), ("theirs note", .choose(.theirs, "note")), ("mine 2", .choose(.mine, "2")),
            ("help", .help), ("?", .help), ("", .nothing),
        ] as [(String, EditCommand)]
    )
    func reads(_ line: String, _ command: EditCommand) throws {
        #expect(try EditCommand(line) == command)
    }

    @Test(arguments: [
        "table", "status", "add", "remove", "remove x", "remove 0", "quantity 1", "quantity 1 0", "quantity x 1",
        "save now",
        "delete", "quit now",
    ])
    func refuses(_ line: String) {
        #expect(throws: CommandFailure.self) { try EditCommand(line) }
    }
}
