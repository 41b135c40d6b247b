import Foundation
import Testing

@testable import BistroTerminal

struct AgeTests {
    @Test(
        arguments: [
            (-5, "now"), (0, "now"), (59, "now"), (60, "1 min"), (3_599, "59 min"), (3_600, "1 h"),
            (3_900, "1 h 5 min"),
            (86_400, "24 h"), (172_800, "2 days"), (900_000, "10 days"),
        ] as [(Double, String)]
    )
    func isTold(_ seconds: Double, _ text: String) {
        #expect(Age.text(since: noon.addingTimeInterval(-seconds), at: noon) == text)
    }
}
