import BistroAPI
import Foundation

extension Order {
    /// What it is called: one that the server does not know yet has no reference.
    var name: String { reference.isEmpty ? "The order for table \(table)" : reference }

    /// "2 Burger, 1 Lemonade".
    var dishes: String { items.map(\.text).joined(separator: ", ") }
}

extension OrderItem {
    /// "2 Burger".
    var text: String { "\(quantity) \(name)" }
}

extension OrderItemCreate {
    /// "2 Burger".
    var text: String { "\(quantity) \(name)" }
}

/// How long something has been there.
enum Age {
    /// "now", "3 min", "1 h 5 min", "2 days". Never less than now: the clocks of server and terminal differ.
    static func text(since date: Date, at now: Date) -> String {
        let minutes = max(Int(now.timeIntervalSince(date) / 60), 0)
        return switch minutes {
        case 0: "now"
        case ..<60: "\(minutes) min"
        case 2_880...: "\(minutes / 1_440) days"
        default: minutes % 60 == 0 ? "\(minutes / 60) h" : "\(minutes / 60) h \(minutes % 60) min"
        }
    }
}
