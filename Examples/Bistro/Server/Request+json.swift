import Foundation
import HTTPTypes
import Hummingbird
import NIOCore
import TidingsHummingbird

extension Request {
    /// The most bytes that a body has.
    private static let maximumBodyBytes = 64 * 1024

    /// Decodes the body.
    ///
    /// - Throws: ``Problem``: 413 if it is too large, 422 that names the field if it does not fit.
    func json<Value: Decodable>(_ type: Value.Type) async throws -> Value {
        let buffer: ByteBuffer
        do {
            buffer = try await body.collect(upTo: Self.maximumBodyBytes)
        } catch is NIOTooManyBytesError {
            throw Problem(
                .contentTooLarge,
                code: "too_large",
                detail: "A body has at most \(Self.maximumBodyBytes) bytes."
            )
        }
        do {
            return try JSONDecoder().decode(type, from: Data(buffer.readableBytesView))
        } catch let error as DecodingError {
            throw Problem(.unprocessableContent, code: "invalid_body", detail: error.sentence)
        }
    }
}

extension DecodingError {
    /// What is wrong, and where.
    fileprivate var sentence: String {
        switch self {
        case .keyNotFound(let key, _): "\"\(key.stringValue)\" is missing."
        case .typeMismatch(_, let context), .valueNotFound(_, let context):
            "\"\(context.codingPath.map(\.stringValue).joined(separator: "."))\" has the wrong type."
        case .dataCorrupted(let context) where !context.codingPath.isEmpty:
            "\"\(context.codingPath.map(\.stringValue).joined(separator: "."))\": \(context.debugDescription)"
        default: "The body is not a JSON object of the right form."
        }
    }
}
