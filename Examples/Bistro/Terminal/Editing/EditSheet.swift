import BistroAPI
import TidingsSync

/// An order that is being edited, as it is shown.
struct EditSheet {
    /// What has happened to the order since it was opened.
    enum News: Hashable, Sendable {
        case none
        case changed
        case deleted
    }

    let draft: OrderDraft
    let news: News
    let connection: BroadcastClient.State

    var lines: [StyledLine] {
        [heading] + [.table, .status, .note].map(line) + items + warning + conflicts
    }

    private var heading: StyledLine {
        let version = "  version \(draft.base.version)" + (draft.isDirty ? ", changed and not saved" : "")
        let heading = StyledLine(draft.base.name, .strong) + StyledLine(version, .quiet)
        return ConnectionText.trouble(connection).map { heading + "  " + $0 } ?? heading
    }

    private func line(_ field: OrderField) -> StyledLine {
        let name = field.name(in: draft.base).fitted(to: 8)
        let value = StyledLine("\(name)\(field.text(draft.value(field)))")
        guard draft.isChanged(field) else { return "  " + value }
        return StyledLine("* ", .working) + value
            + StyledLine("  was \(field.text(field.value(in: draft.base)))", .quiet)
    }

    private var items: [StyledLine] {
        let known = draft.base.items.enumerated().map { index, item in
            let field = OrderField.item(item.id)
            let line = StyledLine("\(index + 1)  \(field.text(draft.value(field))) \(item.name)")
            guard draft.isChanged(field) else { return "  " + line }
            return StyledLine("* ", .working) + line + StyledLine("  was \(item.quantity) ×", .quiet)
        }
        let added = draft.added.enumerated().map { index, item in
            let number = draft.base.items.count + index + 1
            return StyledLine("+ ", .working) + StyledLine("\(number)  \(item.quantity) × \(item.name)")
        }
        return known + added
    }

    private var warning: [StyledLine] {
        switch news {
        case .none: []
        case .changed: [StyledLine("! Changed by somebody else: `reload`, or `save` anyway will conflict.", .bad)]
        case .deleted: [StyledLine("! Deleted by somebody else: there is nothing to save any more.", .bad)]
        }
    }

    private var conflicts: [StyledLine] {
        guard !draft.conflicts.isEmpty else { return [] }
        let lines = draft.conflicts.enumerated().map { index, conflict in
            let (field, choice) = (conflict.field, conflict.choice)
            return StyledLine("\(choice == nil ? "?" : " ") \(index + 1)  \(conflict.name): ")
                + StyledLine("yours \(field.text(conflict.mine))", choice == .theirs ? .quiet : .strong) + ", "
                + StyledLine("theirs \(field.text(conflict.theirs))", choice == .mine ? .quiet : .strong)
                + StyledLine(choice.map { $0 == .mine ? "  (yours)" : "  (theirs)" } ?? "", .good)
        }
        return [StyledLine("Changed here and by somebody else:", .bad)] + lines
    }
}
