import Foundation
import TestSupport
import Testing

@testable import BistroTerminal

@Suite("What a program was started with", .timeLimit(.patience))
struct SystemTerminalTests {
    @Test("gets everything, also when it takes little at a time and does not let others wait")
    func writesEverything() throws {
        let pipe = Pipe()
        let (reading, writing) = (pipe.fileHandleForReading, pipe.fileHandleForWriting)
        _ = fcntl(writing.fileDescriptor, F_SETFL, O_NONBLOCK)
        let terminal = SystemTerminal(output: writing.fileDescriptor)
        let text = String(repeating: "0123456789", count: 100_000)
        Thread.detachNewThread {
            try? terminal.write(text)
            try? writing.close()
        }
        #expect(try reading.readToEnd() == Data(text.utf8))
    }

    @Test("says that nobody reads any more")
    func closed() throws {
        let pipe = Pipe()
        let terminal = SystemTerminal(output: pipe.fileHandleForWriting.fileDescriptor)
        try pipe.fileHandleForReading.close()
        #expect(throws: TerminalClosed.self) { try terminal.write("Is anybody there?") }
    }
}
