import FoundationEssentials
import TidingsBroadcast
import TidingsWire

extension EntitySchema {
    /// Where changes of a record are told.
    ///
    /// - Throws: ``EntityError/Code/invalid`` if a field's value does not fit a channel's name.
    func channels(of record: EntityRecord) throws -> [ChannelName] {
        var channels: [ChannelName] = []
        for channel in telling.channels {
            guard let text = channelText(channel, of: record) else { continue }
            guard let name = try? ChannelName(text) else {
                let place = if case .each(_, let place) = channel { place } else { roles.key }
                let message = "is too long: it has to fit the name of a channel"
                throw EntityError.invalid([
                    FieldFault(pointer: "/\(columns[place].name)", code: "length", message: message)
                ])
            }
            if !channels.contains(name) { channels.append(name) }
        }
        return channels
    }

    private func channelText(_ channel: EntityTelling.Channel, of record: EntityRecord) -> String? {
        switch channel {
        case .all: name
        case .one: record.values[roles.key].channelText.map { "\(name):\($0)" }
        case .each(let prefix, let place): record.values[place].channelText.map { "\(prefix):\($0)" }
        }
    }
}

extension SQLValue {
    /// The value as a part of a channel's name; nil if there is no value.
    var channelText: String? {
        switch self {
        case .null: nil
        case .text(let text): text.percentEncodedForChannels
        case .integer(let value): String(value)
        case .real(let value): String(value)
        case .boolean(let value): value ? "true" : "false"
        case .uuid(let value): value.uuidString.lowercased()
        case .date(let value): Timestamp.text(value)
        }
    }
}

extension String {
    /// The text with white space, control characters and percent signs as `%` and the hexadecimal digits of their bytes.
    fileprivate var percentEncodedForChannels: String {
        var result = ""
        for scalar in unicodeScalars {
            let isKept =
                scalar != "%" && !scalar.properties.isWhitespace && scalar.properties.generalCategory != .control
            if isKept {
                result.unicodeScalars.append(scalar)
            } else {
                for byte in String(scalar).utf8 {
                    result += "%" + (byte < 16 ? "0" : "") + String(byte, radix: 16, uppercase: true)
                }
            }
        }
        return result
    }
}
