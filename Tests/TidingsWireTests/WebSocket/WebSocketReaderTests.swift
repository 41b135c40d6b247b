import TestSupport
import Testing
import TidingsWire

@Suite("WebSocketReader: state")
struct WebSocketReaderTests {
    @Test("A reader is idle between messages, and only there")
    func idle() throws {
        let frames = [
            RawFrame(opcode: 0x1, payload: Array("order".utf8), isFinal: false),
            RawFrame(opcode: 0x9, payload: [1]),
            RawFrame(opcode: 0x0, payload: Array(":7".utf8)),
        ]
        let bytes = frames.flatMap(\.bytes)
        var reader = WebSocketReader(from: .server, maximumMessageBytes: 100)
        #expect(reader.isIdle)
        for index in bytes.indices {
            try [bytes[index]].withUnsafeBytes { try reader.read($0) { _ in } }
            #expect(reader.isIdle == (index == bytes.count - 1), "after byte \(index)")
        }
    }

    @Test("No bytes change nothing")
    func emptyRead() throws {
        let bytes = RawFrame(opcode: 0x1, payload: Array("order".utf8), mask: [1, 2, 3, 4]).bytes
        let pieces = bytes.indices.flatMap { [bytes[$0...$0], bytes[0..<0]] }
        #expect(Reading(pieces, by: .init(from: .client)) == Reading(whole: bytes, from: .client))
    }

    @Test("A copy reads on by itself")
    func copies() throws {
        let bytes = RawFrame(opcode: 0x1, payload: Array("order".utf8), mask: [1, 2, 3, 4]).bytes
        var reader = WebSocketReader(from: .client, maximumMessageBytes: 100)
        try bytes[..<8].withUnsafeBytes { try reader.read($0) { _ in } }
        var copy = reader
        var messages: [WebSocketMessage] = []
        try bytes[8...].withUnsafeBytes { try copy.read($0) { messages.append($0) } }
        try bytes[8...].withUnsafeBytes { try reader.read($0) { messages.append($0) } }
        #expect(messages == [.text(Array("order".utf8)), .text(Array("order".utf8))])
    }

    @Test("Messages that ended in a read are received before its violation")
    func messagesBeforeViolation() {
        let bytes = RawFrame(opcode: 0x1, payload: [0x61]).bytes + RawFrame(opcode: 0x3).bytes
        let reading = Reading(whole: bytes, from: .server)
        #expect(reading.messages == [.text([0x61])])
        #expect(reading.violation?.code == .protocolError)
    }

    @Test("A violation that the receiver finds ends the reading")
    func violationOfReceiver() {
        let bytes = RawFrame(opcode: 0x1, payload: [0x61]).bytes + RawFrame(opcode: 0x9).bytes
        var reader = WebSocketReader(from: .server, maximumMessageBytes: 100)
        var messages: [WebSocketMessage] = []
        let violation = bytes.withUnsafeBytes { bytes -> WebSocketViolation? in
            do throws(WebSocketViolation) {
                try reader.read(bytes) { message throws(WebSocketViolation) in
                    messages.append(message)
                    _ = try WebSocketMessage.data([0xFF], isText: true)
                }
                return nil
            } catch {
                return error
            }
        }
        #expect(violation?.code == .invalidText)
        #expect(messages == [.text([0x61])])
    }

    @Test(
        "What was inflated is judged like what was not compressed",
        arguments: [
            ("", true), ("61", true), ("c3a9", true), ("f09f8d94", true),
            ("c3", false), ("80", false), ("c080", false), ("eda080", false), ("f4908080", false),
        ]
    )
    func inflated(hex: String, isUTF8: Bool) throws {
        let bytes = try [UInt8](hex: hex)
        #expect(try WebSocketMessage.data(bytes, isText: false) == .binary(bytes))
        if isUTF8 {
            #expect(try WebSocketMessage.data(bytes, isText: true) == .text(bytes))
        } else {
            let violation = #expect(throws: WebSocketViolation.self) {
                try WebSocketMessage.data(bytes, isText: true)
            }
            #expect(violation?.code == .invalidText)
        }
    }

    @Test("A ping that follows a broken text is not received")
    func nothingBehindViolation() {
        let bytes = RawFrame(opcode: 0x1, payload: [0xFF]).bytes + RawFrame(opcode: 0x9).bytes
        let reading = Reading(whole: bytes, from: .server)
        #expect(reading.messages.isEmpty)
        #expect(reading.violation?.code == .invalidText)
    }

    @Test("The server's limit holds for a message in many fragments", arguments: [1, 7, 64, 1000])
    func manyFragments(size: Int) {
        let limit = 10_000
        var bytes: [UInt8] = []
        for number in 0...(limit / size) {
            let opcode: UInt8 = number == 0 ? 0x2 : 0x0
            bytes += RawFrame(opcode: opcode, payload: Array(repeating: 0, count: size), isFinal: false).bytes
        }
        let reading = Reading(whole: bytes, from: .server, limit: limit)
        #expect(reading.violation?.code == .messageTooBig)
        #expect(reading.messages.isEmpty)
    }

    @Test("A description of a message tells its size and not what it says")
    func descriptions() {
        let secret = Array("secret".utf8)
        let messages: [WebSocketMessage] = [
            .text(secret), .binary(secret), .compressed(secret, isText: true), .ping(secret), .pong(secret),
        ]
        for message in messages {
            for description in ["\(message)", String(reflecting: message), "\([message])"] {
                #expect(description.contains("6 bytes"))
                #expect(!description.contains("115"))
                #expect(!description.contains("secret"))
            }
        }
        #expect("\(WebSocketMessage.close(.draining, reason: "bye"))" == "close 4000: bye")
        #expect("\(WebSocketMessage.close(.noCode, reason: ""))" == "close 1005")
    }
}
