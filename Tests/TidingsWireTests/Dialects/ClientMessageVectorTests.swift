import TestSupport
import Testing
import TidingsWire

@Suite("What a client says, in each dialect")
struct ClientMessageVectorTests {
    private static func vectors() throws -> [ClientMessageVector] { try ClientMessageVector.all() }

    @Test("A message is read", arguments: try vectors().filter { $0.content.message != nil })
    func valid(vector: ClientMessageVector) throws {
        let expected = try #require(vector.content.message)
        let message = try vector.dialect.decodeClientMessage(vector.text)
        #expect(message.id == expected.id?.value)
        #expect(message.authentication == expected.auth)
        #expect(message.subscribe.map(\.rawValue) == (expected.subscribe ?? []).map(\.text))
        #expect(message.unsubscribe.map(\.rawValue) == (expected.unsubscribe ?? []).map(\.text))
        #expect(message.ping == expected.ping)
        let since = (expected.since ?? [:]).mapValues { $0.flatMap { EventPosition($0) } }
        let read = message.since.map { ($0.rawValue, EventPosition?.some($1)) }
        let unreadable = message.unreadableSince.map { ($0.rawValue, EventPosition?.none) }
        #expect(Dictionary(uniqueKeysWithValues: read + unreadable) == since)
        #expect(message.publish?.channel.rawValue == expected.publish?.channel)
        #expect(message.publish?.name.rawValue == expected.publish?.event)
        #expect(try message.publish.map { try JSONTree($0.payload.json) } == expected.publish?.payload)
        let refused = message.refused.map {
            ClientMessageVector.Refusal(code: $0.code.rawValue, channel: $0.channel)
        }
        #expect(refused == expected.refused ?? [])
    }

    @Test(
        "A message of which nothing holds gets an error",
        arguments: try vectors().filter { $0.content.message == nil }
    )
    func invalid(vector: ClientMessageVector) throws {
        let expected = try #require(vector.content.error)
        let error = #expect(throws: WireError.self) { try vector.dialect.decodeClientMessage(vector.text) }
        #expect(error?.code.rawValue == expected)
        #expect(error?.channel == nil)
        #expect(error?.message.isEmpty == false)
        #expect(vector.dialect.requestIdentifier(of: vector.text) == vector.content.id?.value)
    }

    @Test("The identifier of a message that holds is found alone too", arguments: try vectors())
    func identifier(vector: ClientMessageVector) throws {
        guard let message = try? vector.dialect.decodeClientMessage(vector.text) else { return }
        #expect(vector.dialect.requestIdentifier(of: vector.text) == message.id)
    }

    @Test("Whatever is sent is refused in a message that can be written", arguments: try vectors())
    func answers(vector: ClientMessageVector) throws {
        var errors: [WireError] = []
        do throws(WireError) {
            errors = try vector.dialect.decodeClientMessage(vector.text).refused
        } catch {
            errors = [error]
        }
        for error in errors {
            for dialect in Dialect.allCases {
                let texts = dialect.encode(.error(error, id: nil))
                #expect(texts.map(dialect.decodeServerMessage) == [.error(error, id: nil)])
            }
        }
    }

    @Test("What was read is written, and read as the same", arguments: try vectors())
    func rewritten(vector: ClientMessageVector) throws {
        guard var message = try? vector.dialect.decodeClientMessage(vector.text) else { return }
        message.refused = []
        message.unreadableSince = []
        for text in vector.dialect.encode(message) {
            #expect(throws: Never.self) { try JSONTree(text) }
        }
        #expect(try message.asRead(in: vector.dialect) == message)
    }
}
