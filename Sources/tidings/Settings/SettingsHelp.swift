/// The table of settings for people.
enum SettingsHelp {
    /// A paragraph for each option.
    static var options: String {
        ServeSettings.all.map { setting in
            let standard = setting.standardText.map { " (default: \($0))" } ?? ""
            return "  \(setting.option)\n      \(setting.documentation)\(standard)"
        }.joined(separator: "\n")
    }

    /// A table for the guide, in Markdown.
    static var markdown: String {
        let rows = ServeSettings.all.map { setting in
            "| `\(setting.name)` | `\(setting.option)` | \(prose(setting.allowed)) | "
                + "\(setting.standardText.map { "`\($0)`" } ?? "") | \(setting.documentation) |"
        }
        let head = ["| setting | option | allowed | default | |", "|---|---|---|---|---|"]
        return (head + rows).joined(separator: "\n")
    }

    /// Text in which stars are stars.
    private static func prose(_ text: String) -> String { text.replacing("*", with: "\\*") }
}
