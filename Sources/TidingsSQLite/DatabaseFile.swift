import TidingsEntities

#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#elseif canImport(Darwin)
import Darwin
#endif

/// The file at a path, told apart from another one that takes its place.
struct DatabaseFile: Sendable {
    private let path: String
    private let device: UInt64
    private let number: UInt64

    /// Looks at a file that is open; nil if it is not there.
    init?(_ path: String) {
        var status = stat()
        guard stat(path, &status) == 0 else { return nil }
        self.path = path
        device = UInt64(status.st_dev)
        number = UInt64(status.st_ino)
    }

    /// Makes sure that the open file is still the one at its path: what is written into a file that was deleted is lost
    /// with the process.
    func checkThatItIsThere() throws {
        let now = DatabaseFile(path)
        guard now?.device == device, now?.number == number else {
            throw StoreError(
                .unavailable,
                "The database at \(path) was moved, deleted or replaced while it was open; restart the server."
            )
        }
    }

    /// Says what is wrong with a path at which nothing could be opened; nil if nothing can be seen.
    static func obstacle(at path: String) -> String? {
        var isFolder = false
        let files = FileManager.default
        if files.fileExists(atPath: path, isDirectory: &isFolder) {
            if isFolder { return "\(path) is a folder; name a file in it." }
            guard files.isWritableFile(atPath: path) else {
                return "The database at \(path) is read-only for this process; give it the right to write."
            }
        }
        let folder = folder(of: path)
        guard files.fileExists(atPath: folder, isDirectory: &isFolder), isFolder else {
            return "There is no folder \(folder) for the database; make it."
        }
        guard files.isWritableFile(atPath: folder) else {
            return "SQLite keeps files beside the database; give this process the right to write in \(folder)."
        }
        return nil
    }

    private static func folder(of path: String) -> String {
        guard let slash = path.lastIndex(of: "/") else { return "." }
        return slash == path.startIndex ? "/" : String(path[..<slash])
    }
}
