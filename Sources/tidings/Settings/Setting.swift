/// Something that can be set: with an option, in the environment or in the file.
struct Setting<Value: Sendable>: Sendable {
    /// The name in the file; what is before a dot is a section. All other names come from it.
    let name: String
    let format: SettingFormat<Value>
    /// What holds if nobody sets it.
    let standard: Value
    /// What it is for, in one line.
    let documentation: String
    /// Never printed.
    var isSecret = false

    init(
        _ name: String,
        _ format: SettingFormat<Value>,
        _ standard: Value,
        _ documentation: String,
        isSecret: Bool = false
    ) {
        self.name = name
        self.format = format
        self.standard = standard
        self.documentation = documentation
        self.isSecret = isSecret
    }
}

/// A setting, whatever its value is.
protocol AnySetting: Sendable {
    var name: String { get }
    var documentation: String { get }
    var isSecret: Bool { get }
    var allowed: String { get }
    var isList: Bool { get }
    /// The standard value as it is written; nil for none.
    var standardText: String? { get }
    /// The value that was written; nil if it is not allowed.
    func value(of text: String) -> (any Sendable)?
    /// A value in its standard form; nil if it is not allowed, or none.
    func normalized(_ text: String) -> String?
}

extension Setting: AnySetting {
    var allowed: String { format.allowed }
    var isList: Bool { format.isList }
    var standardText: String? { format.write(standard) }
    func value(of text: String) -> (any Sendable)? { format.read(text) }
    func normalized(_ text: String) -> String? { format.read(text).flatMap(format.write) }
}

extension AnySetting {
    /// Its sections, and its name in the last one.
    var path: [String] { name.split(separator: ".").map(String.init) }
    /// Its option on the command line.
    var option: String { "--" + name.map { $0 == "." || $0 == "_" ? "-" : String($0) }.joined() }
    /// Its variable in the environment.
    var variable: String { "TIDINGS_" + name.map { $0 == "." ? "_" : $0.uppercased() }.joined() }
}
