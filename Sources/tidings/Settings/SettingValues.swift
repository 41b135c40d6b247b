import Configuration

/// What was set, and where.
struct SettingValues: Sendable {
    /// One place where settings are made.
    struct Layer: Sendable {
        /// What it sets.
        let reader: ConfigReader
        /// What a person calls a setting there.
        let source: @Sendable (any AnySetting) -> String

        init(_ provider: some ConfigProvider, source: @escaping @Sendable (any AnySetting) -> String) {
            reader = ConfigReader(provider: provider)
            self.source = source
        }
    }

    /// A value as it was written.
    struct Written: Hashable, Sendable {
        let text: String
        let source: String
    }

    private var values: [String: any Sendable] = [:]
    private(set) var written: [String: Written] = [:]

    /// Reads every setting from the first layer that has it.
    ///
    /// - Throws: ``SettingsErrors`` with every value that is not allowed.
    init(_ settings: [any AnySetting], from layers: [Layer]) throws {
        var errors: [SettingsError] = []
        for setting in settings {
            guard let found = Self.text(of: setting, in: layers) else { continue }
            written[setting.name] = found
            guard let value = setting.value(of: found.text) else {
                errors.append(.badValue(found.text, of: setting, in: found.source))
                continue
            }
            values[setting.name] = value
        }
        guard errors.isEmpty else { throw SettingsErrors(errors: errors) }
    }

    private static func text(of setting: any AnySetting, in layers: [Layer]) -> Written? {
        for layer in layers {
            let text = layer.reader.string(forKey: ConfigKey(setting.path), isSecret: setting.isSecret)
            if let text { return Written(text: text, source: layer.source(setting)) }
        }
        return nil
    }

    /// What holds.
    subscript<Value>(_ setting: Setting<Value>) -> Value {
        values[setting.name] as? Value ?? setting.standard
    }

    /// Whether somebody set it, and did not leave it to its standard.
    func isSet(_ setting: any AnySetting) -> Bool { written[setting.name] != nil }

    /// The settings as a file that would set the same, except for secrets.
    func text(of settings: [any AnySetting]) -> String {
        var lines: [String] = []
        var section: [String] = []
        for setting in settings {
            let path = setting.path
            if Array(path.dropLast()) != section {
                section = Array(path.dropLast())
                lines += section.map { "\($0):" }
            }
            lines.append(String(repeating: "  ", count: section.count) + line(of: setting, path.last ?? ""))
        }
        return lines.joined(separator: "\n") + "\n"
    }

    private func line(of setting: any AnySetting, _ name: String) -> String {
        let found = written[setting.name]
        let source = found?.source ?? "default"
        guard !setting.isSecret else { return "# \(name): \(found == nil ? "not set" : "set (\(source))")" }
        let text = found.map { setting.normalized($0.text) } ?? setting.standardText
        guard let text else { return setting.isList ? "\(name): []  # \(source)" : "# \(name): not set" }
        return "\(name): \(Self.yaml(text))  # \(source)"
    }

    /// Text as a YAML scalar (YAML 1.2.2 §7.3.1): what could be read as anything else is quoted.
    private static func yaml(_ text: String) -> String {
        let plain = text.utf8.allSatisfy { byte in
            (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte)
                || [0x2D, 0x2E, 0x2F, 0x5F].contains(byte)
        }
        if plain, text.first?.isLetter == true || text.first?.isNumber == true || text.hasPrefix("/") { return text }
        let escaped = text.map { $0 == "\"" || $0 == "\\" ? "\\\($0)" : String($0) }.joined()
        return "\"\(escaped)\""
    }
}
