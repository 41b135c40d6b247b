import Testing

@testable import BistroTerminal

struct LineSplitterTests {
    @Test func cutsAtTheEndsOfLines() {
        var splitter = LineSplitter()
        splitter.append(Array("one\r\ntwo\n\nth".utf8))
        #expect(splitter.next() == "one")
        #expect(splitter.next() == "two")
        #expect(splitter.next() == "")
        #expect(splitter.next() == nil)
        splitter.append(Array("ree".utf8))
        #expect(splitter.next() == nil)
        #expect(splitter.rest() == "three")
        #expect(splitter.rest() == nil)
    }

    @Test func cutsALineWithoutEnd() {
        var splitter = LineSplitter()
        splitter.append(Array(repeating: UInt8(ascii: "a"), count: 5_000))
        #expect(splitter.next()?.count == 5_000)
        #expect(splitter.next() == nil)
    }
}
