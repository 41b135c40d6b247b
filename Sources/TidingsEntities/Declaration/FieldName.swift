/// How properties of Swift are called in tables, paths and JSON.
enum FieldName {
    /// `createdAt` becomes `created_at`, `orderID` becomes `order_id`, `imageURLPath` becomes `image_url_path`.
    static func snakeCase(_ name: String) -> String {
        let characters = Array(name)
        var result = ""
        for (place, character) in characters.enumerated() {
            if character.isUppercase, place > 0 {
                let follows = characters[place - 1]
                let isEndOfAcronym = place + 1 < characters.count && characters[place + 1].isLowercase
                if follows != "_", !follows.isUppercase || isEndOfAcronym { result.append("_") }
            }
            result += character.lowercased()
        }
        return result
    }

    /// Whether a name can stand for itself in SQL, URLs and JSON pointers: a small letter, then small letters, digits and
    /// single underscores; at most 48 characters, so that names made of two of them fit a database.
    static func isSound(_ name: String) -> Bool {
        guard let first = name.utf8.first, isLetter(first), name.utf8.count <= 48 else { return false }
        return name.utf8.allSatisfy {
            isLetter($0) || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) || $0 == 0x5F
        }
            && !name.hasSuffix("_") && !name.contains("__")
    }

    private static func isLetter(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte)
    }
}
