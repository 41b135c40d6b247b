import BistroAPI
import Testing
import TidingsSync

@testable import BistroTerminal

struct OrderDraftTests {
    private let burger = OrderItem.test(1, "Burger", 2)
    private let tea = OrderItem.test(2, "Tea")
    private let order: Order

    init() {
        order = .test(1, note: "hot", version: 3, items: [burger, tea])
    }

    @Test func sendsOnlyWhatIsDifferent() {
        var draft = OrderDraft(order)
        #expect(!draft.isDirty)
        draft.set(.table, to: "9")
        draft.set(.note, to: "")
        draft.set(.status, to: "preparing")
        draft.set(.status, to: "open")
        #expect(draft.update == OrderUpdate(table: .to("9"), note: .to(nil)))
        #expect(draft.itemChanges == [])
        #expect(draft.isDirty)
    }

    @Test func sendsDishesInTheirOrder() {
        var draft = OrderDraft(order)
        let added = OrderItemCreate(id: .test(50), name: "Pie", quantity: 1)
        draft.add(added)
        draft.set(.item(tea.id), to: "0")
        draft.set(.item(burger.id), to: "5")
        #expect(draft.itemChanges == [.setQuantity(burger.id, 5), .remove(tea.id), .add(added)])
        draft.setQuantity(ofAdded: added.id, to: 3)
        #expect(draft.itemChanges.last == .add(OrderItemCreate(id: added.id, name: "Pie", quantity: 3)))
        draft.removeAdded(added.id)
        draft.set(.item(tea.id), to: "1")
        #expect(draft.itemChanges == [.setQuantity(burger.id, 5)])
        #expect(draft.update == OrderUpdate())
    }

    @Test func followsWhereNothingWasChangedHere() {
        var draft = OrderDraft(order)
        draft.set(.note, to: "cold")
        let different = draft.rebase(on: order.changed(table: "20", items: [burger]))
        #expect(different == [.table, .item(tea.id)])
        #expect(draft.conflicts == [])
        #expect(draft.value(.table) == "20")
        #expect(draft.value(.note) == "cold")
        #expect(draft.base.version == 4)
    }

    @Test func asksWhereBothChanged() {
        var draft = OrderDraft(order)
        draft.set(.note, to: "cold")
        draft.set(.item(burger.id), to: "3")
        draft.set(.item(tea.id), to: "0")
        draft.rebase(on: order.changed(note: "lukewarm", items: [.test(1, "Burger", 4)]))
        #expect(draft.conflicts.map(\.name) == ["note", "Burger"])
        #expect(draft.conflicts.map(\.mine) == ["cold", "3"])
        #expect(draft.conflicts.map(\.theirs) == ["lukewarm", "4"])
        #expect(!draft.isDecided)
        draft.resolve(.note, .theirs)
        draft.resolve(.item(burger.id), .mine)
        #expect(draft.isDecided)
        #expect(draft.update == OrderUpdate())
        #expect(draft.itemChanges == [.setQuantity(burger.id, 3)])
        // Another mind, and another value.
        draft.resolve(.note, .mine)
        #expect(draft.update == OrderUpdate(note: .to("cold")))
        draft.set(.note, to: "warm")
        #expect(draft.update == OrderUpdate(note: .to("warm")))
    }

    @Test func hasNoConflictWhereBothWantedTheSame() {
        var draft = OrderDraft(order)
        draft.set(.table, to: "9")
        draft.rebase(on: order.changed(table: "9"))
        #expect(draft.conflicts == [])
        #expect(!draft.isDirty)
    }

    @Test func bringsBackADishThatTheyRemoved() {
        var draft = OrderDraft(order)
        draft.set(.item(tea.id), to: "2")
        draft.rebase(on: order.changed(items: [burger]))
        #expect(draft.conflicts.map(\.name) == ["Tea"])
        draft.resolve(.item(tea.id), .mine)
        #expect(draft.itemChanges == [.add(OrderItemCreate(id: tea.id, name: "Tea", quantity: 2))])
        draft.resolve(.item(tea.id), .theirs)
        #expect(draft.itemChanges == [])
        #expect(!draft.isDirty)
    }

    @Test func keepsConflictsThroughAnotherReload() {
        var draft = OrderDraft(order)
        draft.set(.note, to: "cold")
        draft.rebase(on: order.changed(note: "warm"))
        draft.rebase(on: order.changed(version: 5, table: "20", note: "warm"))
        #expect(draft.conflicts.map(\.theirs) == ["warm"])
        #expect(draft.value(.note) == "cold")
    }

    @Test func hasAddedNothingTwice() {
        var draft = OrderDraft(order)
        draft.add(OrderItemCreate(id: .test(50), name: "Pie"))
        draft.rebase(on: order.changed(items: [burger, tea, OrderItem(id: .test(50), name: "Pie", quantity: 1)]))
        #expect(!draft.isDirty)
    }
}
