import TidingsSync

/// How the connection stands, as terminals show it: little when all is well, and all that is known when it is not.
enum ConnectionText {
    static func indicator(_ state: BroadcastClient.State) -> ConnectionIndicator {
        ConnectionIndicator(state, form: state == .connected ? .compact : .full)
    }

    /// What stands beside something else: nothing as long as nothing is wrong.
    static func trouble(_ state: BroadcastClient.State) -> StyledLine? {
        switch state {
        // Nobody has waited for long yet.
        case .connected, .connecting, .disconnected: nil
        case .reconnecting, .failed: line(state)
        }
    }

    static func line(_ state: BroadcastClient.State) -> StyledLine {
        let indicator = indicator(state)
        return switch indicator.tone {
        case .good: StyledLine("● \(indicator.text)", .good)
        case .working: StyledLine("◌ \(indicator.text)", .working)
        case .bad: StyledLine("! \(indicator.text)", .bad)
        }
    }
}
