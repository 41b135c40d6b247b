/// Names in SQL.
enum SQLName {
    /// The longest name that every database takes, in bytes.
    private static let maximumBytes = 63

    /// A name between double quotes, as standard SQL has it.
    static func quoted(_ name: String) -> String {
        "\"" + name.split(separator: "\"", omittingEmptySubsequences: false).joined(separator: "\"\"") + "\""
    }

    /// A name made of parts, cut to what databases take. What is cut off counts: two names that differ stay different.
    static func joined(_ parts: String...) -> String {
        let name = parts.joined(separator: "_")
        guard name.utf8.count > maximumBytes else { return name }
        let suffix = "_" + Fingerprint.text(name.utf8).prefix(12)
        return String(decoding: name.utf8.prefix(maximumBytes - suffix.utf8.count), as: UTF8.self) + suffix
    }
}
