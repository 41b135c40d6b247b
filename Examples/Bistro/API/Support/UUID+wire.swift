import Foundation

extension UUID {
    /// As it is written on the wire.
    var wire: String { uuidString.lowercased() }
}
