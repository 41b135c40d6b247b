import HTTPTypes
import Hummingbird
import NIOCore
import TidingsWire

extension Request {
    /// A header that is a name of the client's own: visible ASCII characters; nil if there is none.
    func token(in name: HTTPField.Name, atMost most: Int) throws -> String? {
        guard let value = headers[name] else { return nil }
        guard (1...most).contains(value.utf8.count), value.utf8.allSatisfy({ (0x21...0x7E).contains($0) }) else {
            throw Problem(
                .badRequest,
                code: "bad_header",
                detail: "\(name) is 1–\(most) characters of ASCII without white space."
            )
        }
        return value
    }

    /// The trace of `traceparent` (W3C Trace Context §3.2.2.3); nil if there is none.
    var traceID: String? {
        guard let parts = headers[.traceParent]?.split(separator: "-"), parts.count >= 4, parts[1].utf8.count == 32,
            parts[1].allSatisfy(\.isHexDigit)
        else { return nil }
        return String(parts[1])
    }

    /// The body of a request that has JSON or nothing in it.
    func jsonBody(atMost most: Int) async throws -> [UInt8] {
        let buffer: ByteBuffer
        do {
            buffer = try await body.collect(upTo: most)
        } catch is NIOTooManyBytesError {
            throw Problem(.contentTooLarge, code: "too_large", detail: "A body has at most \(most) bytes.")
        }
        guard buffer.readableBytes > 0 else { return [] }
        // Nothing that a page of another origin can send without asking first.
        let type = headers[.contentType]?.split(separator: ";").first?.lowercased() ?? ""
        guard type == "application/json" || type.hasSuffix("+json") else {
            throw Problem(
                .unsupportedMediaType,
                code: "unsupported_media_type",
                detail: "Send the body as JSON: Content-Type: application/json."
            )
        }
        return Array(buffer.readableBytesView)
    }
}
