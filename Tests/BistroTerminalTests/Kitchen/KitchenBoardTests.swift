import BistroAPI
import Testing
import TidingsSync

@testable import BistroTerminal

struct KitchenBoardTests {
    private let size = TerminalSize(columns: 80, rows: 6)

    private func board(_ count: Int) -> KitchenBoard {
        var board = KitchenBoard(tables: [])
        board.connection = .connected
        board.show((0..<count).map { .test($0) })
        return board
    }

    @Test func choosesFromBothEnds() {
        var board = board(3)
        #expect(board.selection == nil)
        board.move(by: 1)
        #expect(board.selection == .test(0))
        board.move(by: -1)
        #expect(board.selection == .test(0))
        for _ in 0..<5 { board.move(by: 1) }
        #expect(board.selection == .test(2))
        var other = self.board(3)
        other.move(by: -1)
        #expect(other.selection == .test(2))
    }

    @Test func staysWithTheChosenOrder() {
        var board = board(3)
        board.move(by: 1)
        board.move(by: 1)
        board.show([.test(1), .test(0)])
        #expect(board.selection == .test(1))
        board.show([.test(0), .test(2)])
        #expect(board.selection == .test(0))
        board.show([])
        #expect(board.selection == nil)
    }

    @Test(
        arguments: [
            (.open, .preparing), (.preparing, .ready), (.ready, .served), (.unknown("burnt"), nil),
        ] as [(OrderStatus, OrderStatus?)]
    )
    func advancesToTheNextState(_ status: OrderStatus, _ next: OrderStatus?) {
        var board = KitchenBoard(tables: [])
        board.show([.test(1, status: status)])
        board.move(by: 1)
        #expect(board.advance()?.status == next)
    }

    @Test func advancesNoOrderTwice() {
        var board = board(1)
        board.move(by: 1)
        board.unconfirmed = [.test(0)]
        #expect(board.advance() == nil)
        #expect(board.message == "ORD-000000 is on its way already.")
    }

    @Test func saysWhatToDoWithoutAChoice() {
        var board = board(1)
        #expect(board.advance() == nil)
        #expect(board.message?.contains("Choose") == true)
    }

    @Test(
        arguments: [
            (.connected, "● Live"), (.connecting, "◌ Connecting"), (.reconnecting, "◌ Reconnecting"),
            (.failed(BroadcastClientError(.badURL, "The URL is wrong.")), "! Not connected: The URL is wrong."),
        ] as [(BroadcastClient.State, String)]
    )
    func showsTheConnectionInTheCorner(_ state: BroadcastClient.State, _ corner: String) {
        var board = board(1)
        board.connection = state
        let heading = board.frame(on: size, at: noon)[0]
        #expect(heading.text.hasSuffix(" " + corner))
        #expect(heading.width == 80)
    }

    @Test func scrollsToTheChosenOrder() {
        var board = board(9)
        let rows = { (board: KitchenBoard) in
            board.frame(on: size, at: noon).compactMap { $0.text.firstMatch(of: /ORD-\d+/).map { String($0.output) } }
        }
        #expect(rows(board) == ["ORD-000000", "ORD-000001", "ORD-000002"])
        #expect(board.frame(on: size, at: noon)[0].text.contains("1–3 of 9 orders"))
        for _ in 0..<5 { board.move(by: 1) }
        #expect(rows(board) == ["ORD-000002", "ORD-000003", "ORD-000004"])
    }

    @Test(arguments: [(80, 6), (20, 3), (80, 1), (1, 1), (5, 2), (300, 100)])
    func fillsTheScreenExactly(_ columns: Int, _ rows: Int) {
        let size = TerminalSize(columns: columns, rows: rows)
        #expect(board(9).frame(on: size, at: noon).count == rows)
        #expect(board(0).frame(on: size, at: noon).count == rows)
    }

    @Test func saysInTheLastLineWhatIsWrong() {
        var board = board(1)
        #expect(board.frame(on: size, at: noon)[5].text.contains("q quit"))
        board.trouble = "nobody answers"
        #expect(board.frame(on: size, at: noon)[5].text == "Not up to date: nobody answers")
        board.message = "a\nb"
        #expect(board.frame(on: size, at: noon)[5].text == "a b")
        board.move(by: 1)
        #expect(board.message == nil)
    }

    @Test func hintsAtNoKeysWithoutAKeyboard() {
        var board = board(1)
        board.hasKeyboard = false
        #expect(board.frame(on: size, at: noon)[5].text == "")
    }
}
