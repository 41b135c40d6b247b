import GRDB
import TidingsQuery

#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

extension QueryMetadata {
    /// Reads a column; nil if this program has not written it.
    init?(stored value: DatabaseValue) {
        self.init()
        guard let encoded = Data.fromDatabaseValue(value) else { return }
        guard let decoded = try? JSONDecoder().decode(QueryMetadata.self, from: encoded) else { return nil }
        self = decoded
    }

    /// As a column holds it.
    var stored: Data? {
        get throws { isEmpty ? nil : try JSONEncoder().encode(self) }
    }
}
