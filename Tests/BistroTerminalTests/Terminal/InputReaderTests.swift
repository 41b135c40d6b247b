import Foundation
import TestSupport
import Testing

@testable import BistroTerminal

@Suite(.timeLimit(.patience))
struct InputReaderTests {
    @Test func readsToTheEnd() async throws {
        let pipe = Pipe()
        let reader = InputReader(pipe.fileHandleForReading.fileDescriptor)
        try pipe.fileHandleForWriting.write(contentsOf: Data("one".utf8))
        #expect(await reader.read() == Array("one".utf8))
        try pipe.fileHandleForWriting.write(contentsOf: Data("two".utf8))
        try pipe.fileHandleForWriting.close()
        #expect(await reader.read() == Array("two".utf8))
        #expect(await reader.read() == nil)
    }

    @Test func stopsWaitingWhenCancelled() async throws {
        let pipe = Pipe()
        let reader = InputReader(pipe.fileHandleForReading.fileDescriptor)
        let task = Task { await reader.read() }
        task.cancel()
        #expect(await task.value == nil)
        // What comes after it is not lost.
        try pipe.fileHandleForWriting.write(contentsOf: Data("later".utf8))
        #expect(await reader.read() == Array("later".utf8))
    }
}
