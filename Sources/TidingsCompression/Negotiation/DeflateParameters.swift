/// The parameters of `permessage-deflate` as one side wrote them (RFC 7692 §7.1).
struct DeflateParameters: Equatable {
    var serverNoContextTakeover = false
    var clientNoContextTakeover = false
    var serverMaxWindowBits: Int?
    /// Whether the client's window is spoken of. An offer may leave the size open, so there is not always a value.
    var hasClientMaxWindowBits = false

    /// Reads them; nil where one is unknown, has a wrong value or stands there twice (§7.1).
    ///
    /// Names are compared as they are: nothing says that upper and lower case are alike.
    init?(_ parameters: [WebSocketExtension.Parameter]) {
        guard Set(parameters.map(\.name)).count == parameters.count else { return nil }
        for parameter in parameters {
            guard take(parameter) else { return nil }
        }
    }

    private mutating func take(_ parameter: WebSocketExtension.Parameter) -> Bool {
        switch (parameter.name, parameter.value) {
        case ("server_no_context_takeover", nil):
            serverNoContextTakeover = true
        case ("client_no_context_takeover", nil):
            clientNoContextTakeover = true
        case ("server_max_window_bits", let value?):
            serverMaxWindowBits = Self.windowBits(value)
            return serverMaxWindowBits != nil
        case ("client_max_window_bits", let value):
            hasClientMaxWindowBits = true
            return value.map { Self.windowBits($0) != nil } ?? true
        default:
            return false
        }
        return true
    }

    /// 8…15 in decimal, without a sign or leading zeros (§7.1.2).
    private static func windowBits(_ value: String) -> Int? {
        (8...15).first { String($0) == value }
    }
}
