extension String {
    /// What can be shown of data on one line of a terminal: nothing in it moves the cursor, colors, or turns the direction of
    /// what follows.
    var printable: String {
        var result = String.UnicodeScalarView()
        for scalar in unicodeScalars {
            switch scalar.properties.generalCategory {
            case .control, .lineSeparator, .paragraphSeparator:
                result.append(scalar.properties.isWhitespace ? " " : "\u{FFFD}")
            // Emoji and some scripts are put together with these.
            case .format where scalar != "\u{200C}" && scalar != "\u{200D}": continue
            default: result.append(scalar)
            }
        }
        return String(result)
    }
}
