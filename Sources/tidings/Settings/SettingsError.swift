/// Why a server cannot be started with what was set.
struct SettingsError: Error, Hashable, CustomStringConvertible {
    /// What kind of failure it was.
    struct Code: RawRepresentable, Hashable, Sendable {
        let rawValue: String

        /// Nobody knows this setting.
        static let unknown = Code(rawValue: "unknown")
        /// The value is not allowed.
        static let badValue = Code(rawValue: "bad_value")
        /// Two settings do not go together.
        static let contradiction = Code(rawValue: "contradiction")
        /// The file cannot be read.
        static let badFile = Code(rawValue: "bad_file")
    }

    let code: Code
    /// One sentence that says what to do.
    let message: String

    init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    var description: String { message }

    /// The value is not one of those that a setting takes.
    ///
    /// - Parameter source: Where it was set.
    static func badValue(_ text: String, of setting: any AnySetting, in source: String) -> SettingsError {
        // A secret that is wrong is one all the same.
        let value = setting.isSecret ? "the value" : "\"\(text)\""
        return SettingsError(
            .badValue,
            "\(setting.name): \(value) (\(source)) is not allowed; allowed: \(setting.allowed)."
        )
    }

    /// There is no such setting.
    ///
    /// - Parameters:
    ///   - name: As it was written.
    ///   - names: All that could have been written there.
    static func unknown(_ name: String, in source: String, of names: [String]) -> SettingsError {
        let nearest = Spelling.nearest(to: name, of: names).map { "; did you mean \($0)?" } ?? "."
        return SettingsError(.unknown, "\(name) (\(source)) is no setting\(nearest)")
    }
}

/// Several things that are wrong, to be told at once.
struct SettingsErrors: Error, CustomStringConvertible {
    let errors: [SettingsError]

    var description: String { errors.map(\.message).joined(separator: "\n") }
}

/// What somebody may have meant.
enum Spelling {
    /// The name that takes the fewest changes of letters to get to.
    static func nearest(to name: String, of names: [String]) -> String? {
        names.min { distance(name, $0) < distance(name, $1) }
    }

    /// Letters that have to be put in, taken out or replaced (Levenshtein).
    static func distance(_ left: String, _ right: String) -> Int {
        let right = Array(right.utf8)
        var row = Array(0...right.count)
        for (number, letter) in left.utf8.enumerated() {
            var before = row[0]
            row[0] = number + 1
            for column in right.indices {
                let above = row[column + 1]
                row[column + 1] = min(row[column] + 1, above + 1, before + (letter == right[column] ? 0 : 1))
                before = above
            }
        }
        return row[right.count]
    }
}
