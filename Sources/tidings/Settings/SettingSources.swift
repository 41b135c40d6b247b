import Configuration
import Foundation
import Yams

/// Reads what was set on the command line, in the environment and in a file, and finds what nobody knows there.
///
/// The file is read here and not by the library's own provider for YAML: that one does not tell which keys there are,
/// and a key that is misspelled has to be found.
struct SettingSources {
    let settings: [any AnySetting]

    /// Variables of the environment that begin like settings and are none.
    static let otherVariables: Set<String> = ["TIDINGS_TOKEN", "TIDINGS_CONFIG"]

    /// Options, as `--name value` or `--name=value`. One that is a list may come several times.
    func commandLine(_ arguments: [String]) throws -> SettingValues.Layer {
        var found: [String: String] = [:]
        var errors: [SettingsError] = []
        var rest = arguments[...]
        while let argument = rest.popFirst() {
            let parts = argument.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
            guard let setting = settings.first(where: { $0.option == parts[0] }) else {
                errors.append(.unknown(parts[0], in: "command line", of: settings.map(\.option)))
                if parts.count == 1, rest.first?.hasPrefix("--") == false { rest.removeFirst() }
                continue
            }
            guard let text = parts.count == 2 ? parts[1] : rest.popFirst() else {
                errors.append(
                    SettingsError(.badValue, "\(parts[0]) needs a value; allowed: \(setting.allowed).")
                )
                continue
            }
            let before = setting.isList ? found[setting.name].map { $0 + " " } : nil
            found[setting.name] = (before ?? "") + text
        }
        guard errors.isEmpty else { throw SettingsErrors(errors: errors) }
        return SettingValues.Layer(Self.provider("command line", found)) { $0.option }
    }

    /// Variables that begin with `TIDINGS_`. An empty one sets nothing.
    func environment(_ variables: [String: String]) throws -> SettingValues.Layer {
        let names = settings.map(\.variable)
        let own = variables.filter { $0.key.hasPrefix("TIDINGS_") && !Self.otherVariables.contains($0.key) }
        let errors = own.keys.sorted().filter { !names.contains($0) }.map {
            SettingsError.unknown($0, in: "environment", of: names)
        }
        guard errors.isEmpty else { throw SettingsErrors(errors: errors) }
        let values = own.filter { !$0.value.isEmpty }.map { (String($0.key.dropFirst("TIDINGS_".count)), $0.value) }
        let provider = EnvironmentVariablesProvider(
            environmentVariables: Dictionary(values, uniquingKeysWith: { first, _ in first })
        )
        return SettingValues.Layer(provider) { $0.variable }
    }

    /// A YAML file: sections and their settings.
    func file(_ path: String) throws -> SettingValues.Layer {
        guard let data = FileManager.default.contents(atPath: path) else {
            throw SettingsErrors(errors: [SettingsError(.badFile, "\(path) cannot be read.")])
        }
        return try file(named: path, String(decoding: data, as: UTF8.self))
    }

    func file(named path: String, _ text: String) throws -> SettingValues.Layer {
        var found: [String: String] = [:]
        var errors: [SettingsError] = []
        do {
            switch try Yams.compose(yaml: text) {
            case nil: break
            case .mapping(let mapping): collect(mapping, [], path, &found, &errors)
            default: errors.append(SettingsError(.badFile, "\(path) has to be a mapping of settings."))
            }
        } catch {
            let place = (error as? YamlError).map(Self.place) ?? ""
            errors.append(SettingsError(.badFile, "\(path) is no YAML\(place)."))
        }
        guard errors.isEmpty else { throw SettingsErrors(errors: errors) }
        return SettingValues.Layer(Self.provider("file", found)) { _ in path }
    }

    private func collect(
        _ mapping: Node.Mapping,
        _ section: [String],
        _ path: String,
        _ found: inout [String: String],
        _ errors: inout [SettingsError]
    ) {
        for (key, node) in mapping {
            let name = (section + [key.string ?? "?"]).joined(separator: ".")
            let setting = settings.first { $0.name == name }
            let isSection = settings.contains { $0.name.hasPrefix(name + ".") }
            switch node {
            case .scalar where isSection && node.null != nil: break
            case .mapping(let inner) where isSection:
                collect(inner, section + [key.string ?? "?"], path, &found, &errors)
            case .scalar(let scalar) where setting != nil:
                if node.null == nil, !scalar.string.isEmpty { found[name] = scalar.string }
            case .sequence(let sequence) where setting?.isList == true && sequence.allSatisfy { $0.scalar != nil }:
                found[name] = sequence.compactMap { $0.scalar?.string }.joined(separator: " ")
            default:
                errors.append(fault(name, setting, path))
            }
        }
    }

    private func fault(_ name: String, _ setting: (any AnySetting)?, _ path: String) -> SettingsError {
        guard let setting else { return .unknown(name, in: path, of: settings.map(\.name)) }
        return SettingsError(
            .badValue,
            "\(setting.name): this kind of value (\(path)) is not allowed; allowed: \(setting.allowed)."
        )
    }

    private static func place(of error: YamlError) -> String {
        switch error {
        case .scanner(_, _, let mark, _), .parser(_, _, let mark, _), .composer(_, _, let mark, _):
            ": look at line \(mark.line), column \(mark.column)"
        default: ""
        }
    }

    private static func provider(_ name: String, _ values: [String: String]) -> InMemoryProvider {
        let pairs = values.map { name, text in
            (
                AbsoluteConfigKey(name.split(separator: ".").map(String.init)),
                ConfigValue(.string(text), isSecret: false)
            )
        }
        return InMemoryProvider(name: name, values: Dictionary(pairs, uniquingKeysWith: { first, _ in first }))
    }
}
