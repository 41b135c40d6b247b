/// A JSON object that was read: its members by name. What they hold is read when it is asked for.
///
/// Asking for a name takes time in proportion to the number of members. Objects that may have any number of them are
/// walked through instead.
struct JSONObject {
    /// In the order of the text; of members with the same name the last one.
    let members: [JSONScanner.Member]
    private let text: [UInt8]

    /// Reads a text that is one object; nil if it is JSON, but something else.
    init?(_ text: [UInt8]) throws(JSONScanner.Fault) {
        guard let members = try JSONScanner.members(of: text) else { return nil }
        self.members = members
        self.text = text
    }

    /// Reads a message from a peer that cannot be told what is wrong with it; nil if it is not one object, or has more
    /// members than a message may have.
    init?(message text: [UInt8]) {
        guard let object = try? JSONObject(text), object.members.count <= WireLimits.messageMembers else { return nil }
        self = object
    }

    subscript(name: String) -> JSONScanner.Member? {
        members.first { $0.name.utf8.elementsEqual(name.utf8) }
    }
}

// MARK: - Values

extension JSONObject {
    /// The bytes of a member's value.
    func json(of member: JSONScanner.Member) -> [UInt8] {
        Array(text[member.value])
    }

    /// The bytes of a member, from the quote before its name to the end of its value.
    func written(_ member: JSONScanner.Member) -> ArraySlice<UInt8> {
        text[member.whole]
    }

    /// A member's text; nil if it is no string.
    func string(of member: JSONScanner.Member) -> String? {
        guard member.kind == .string else { return nil }
        return try? JSONScanner.string(of: json(of: member))
    }

    /// A member's number as it is written; nil if it is none.
    func numeral(of member: JSONScanner.Member) -> String? {
        guard member.kind == .number else { return nil }
        return String(decoding: json(of: member), as: UTF8.self)
    }

    /// A member's integer; nil if it is none, or needs more than 64 bits.
    func integer(of member: JSONScanner.Member) -> Int? {
        numeral(of: member).flatMap { Int($0) }
    }

    /// A member's truth value; nil if it is none.
    func boolean(of member: JSONScanner.Member) -> Bool? {
        guard member.kind == .boolean else { return nil }
        return text[member.value.lowerBound] == UInt8(ascii: "t")
    }

    /// A member's strings; nil if it is no array of strings.
    func strings(of member: JSONScanner.Member) -> [String]? {
        guard member.kind == .array else { return nil }
        return try? JSONScanner.strings(of: json(of: member))
    }

    /// A member's object; nil if it is none.
    func object(of member: JSONScanner.Member) -> JSONObject? {
        guard member.kind == .object else { return nil }
        return try? JSONObject(json(of: member))
    }
}

// MARK: - Values by name

extension JSONObject {
    func string(_ name: String) -> String? { self[name].flatMap(string(of:)) }
    func integer(_ name: String) -> Int? { self[name].flatMap(integer(of:)) }
    func boolean(_ name: String) -> Bool? { self[name].flatMap(boolean(of:)) }
    func strings(_ name: String) -> [String]? { self[name].flatMap(strings(of:)) }
    func object(_ name: String) -> JSONObject? { self[name].flatMap(object(of:)) }
}
