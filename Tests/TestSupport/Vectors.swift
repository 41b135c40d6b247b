import Foundation

/// The vectors in `Tests/Vectors`: what stands on the wire, as JSON files that tests in every language read.
public enum Vectors {
    /// Reads the cases of a file.
    ///
    /// - Parameters:
    ///   - name: The file's name without `.json`.
    ///   - type: What each of its `cases` is.
    /// - Throws: ``VectorError`` that names the file and the case.
    public static func cases<Case: Decodable>(_ name: String, of type: Case.Type = Case.self) throws -> [Case] {
        try load(name, as: File<Case>.self).cases
    }

    /// Reads a whole file.
    ///
    /// - Parameters:
    ///   - name: The file's name without `.json`.
    ///   - type: What it holds.
    /// - Throws: ``VectorError`` that names the file and the place in it.
    public static func load<Content: Decodable>(_ name: String, as type: Content.Type) throws -> Content {
        let data: Data
        do {
            data = try Data(contentsOf: folder.appending(path: "\(name).json"))
        } catch {
            throw VectorError(file: name, fault: "cannot be read from \(folder.path()): \(error.localizedDescription)")
        }
        do {
            return try JSONDecoder().decode(type, from: data)
        } catch let error as DecodingError {
            throw VectorError(file: name, fault: VectorError.describe(error))
        }
    }

    /// Beside the folder of this file, wherever the package lies.
    private static var folder: URL {
        URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent().appending(path: "Vectors")
    }

    private struct File<Case: Decodable>: Decodable {
        let cases: [Case]
    }
}

/// Why a file of vectors is of no use.
public struct VectorError: Error, CustomStringConvertible {
    /// The file's name without `.json`.
    public let file: String
    /// What is wrong, and where.
    public let fault: String

    /// Tells what is wrong.
    ///
    /// - Parameters:
    ///   - file: The file's name without `.json`.
    ///   - fault: What is wrong, and where.
    public init(file: String, fault: String) {
        self.file = file
        self.fault = fault
    }

    /// The file and what is wrong with it.
    public var description: String {
        "Tests/Vectors/\(file).json: \(fault)"
    }

    static func describe(_ error: DecodingError) -> String {
        switch error {
        case .typeMismatch(_, let context), .valueNotFound(_, let context), .dataCorrupted(let context):
            "\(path(context.codingPath)): \(context.debugDescription)"
        case .keyNotFound(let key, let context):
            "\(path(context.codingPath)): there is no \"\(key.stringValue)\""
        @unknown default:
            String(describing: error)
        }
    }

    private static func path(_ keys: [any CodingKey]) -> String {
        let path = keys.map { key in key.intValue.map { "[\($0)]" } ?? ".\(key.stringValue)" }.joined()
        return path.isEmpty ? "the file" : String(path.drop { $0 == "." })
    }
}
