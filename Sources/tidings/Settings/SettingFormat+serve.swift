import Foundation
import TidingsBroadcast
import TidingsRedis

extension SettingFormat where Value == String {
    /// A file that is there.
    static var file: SettingFormat {
        SettingFormat(
            allowed: "the path of a file that can be read",
            read: { FileManager.default.isReadableFile(atPath: $0) ? $0 : nil },
            write: { $0 }
        )
    }

    /// What nobody can guess.
    static var secret: SettingFormat {
        SettingFormat(
            allowed: "at least 32 bytes, from a random source",
            read: { $0.utf8.count >= 32 ? $0 : nil },
            write: { $0 }
        )
    }

    /// Where a set of keys is.
    static var keySet: SettingFormat {
        SettingFormat(
            allowed: "the path of a file, an https URL, or an http URL of this machine",
            read: { text in
                guard text.contains("://") else { return file.read(text) }
                guard let url = URL(string: text), let host = url.host() else { return nil }
                let isLocal = ["127.0.0.1", "::1", "localhost"].contains(host)
                return url.scheme == "https" || (url.scheme == "http" && isLocal) ? text : nil
            },
            write: { $0 }
        )
    }

    /// Where Redis is.
    static var redisURL: SettingFormat {
        SettingFormat(
            allowed: "redis://host:6379, rediss://user:password@host:6379/0 or unix:///path/of/socket",
            read: { (try? RedisConfiguration(url: $0)) == nil ? nil : $0 },
            write: { $0 }
        )
    }
}

extension SettingFormat where Value == ChannelPattern {
    /// Names of channels in which a star stands for any characters.
    static var pattern: SettingFormat {
        SettingFormat(
            allowed: "a channel's name of at most 255 bytes, in which * stands for any characters, as order:*",
            read: { try? ChannelPattern($0) },
            write: { $0.rawValue }
        )
    }
}

/// Which pages may connect.
enum OriginRule: Hashable, Sendable {
    case sameHost
    case any
    case list([String])
}

extension SettingFormat where Value == OriginRule {
    /// Origins as browsers send them, or a word.
    static var origins: SettingFormat {
        SettingFormat(
            allowed:
                "same-host, any, or origins as https://app.example.com, separated by spaces, in the file as a list",
            read: { text in
                let words = text.split(whereSeparator: \.isWhitespace).map(String.init)
                if words == ["same-host"] { return .sameHost }
                if words == ["any"] { return .any }
                return !words.isEmpty && words.allSatisfy(isOrigin) ? .list(words) : nil
            },
            write: { rule in
                switch rule {
                case .sameHost: "same-host"
                case .any: "any"
                case .list(let origins): origins.joined(separator: " ")
                }
            },
            isList: true
        )
    }

    /// A path or a slash at the end would never be equal to what a browser sends.
    private static func isOrigin(_ text: String) -> Bool {
        guard let url = URL(string: text), let scheme = url.scheme, let host = url.host(), !host.isEmpty else {
            return false
        }
        return text == "\(scheme)://\(host)" + (url.port.map { ":\($0)" } ?? "")
    }
}
