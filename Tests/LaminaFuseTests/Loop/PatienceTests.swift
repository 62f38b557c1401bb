// How long the leader looks for the next request before it sleeps.

import Glibc
import LaminaCore
import LaminaSystem
import Testing

@testable import LaminaFuse

@Suite struct PatienceTests {
    @Test func growsWhileRequestsComeSoon() {
        var patience = Patience()
        var last = patience.window
        for _ in 0..<10 {
            patience.noteWait(Patience.longest - 1, after: .inVain)
            #expect(patience.window >= last && patience.window <= Patience.longest)
            last = patience.window
        }
        #expect(last == Patience.longest)
    }

    /// All that is looked in vain, once requests come late, is less than twice the longest look.
    @Test func endsWhenTheyComeLate() {
        var patience = Patience()
        for _ in 0..<10 { patience.noteWait(0, after: .inVain) }
        var spent: UInt64 = 0
        for _ in 0..<10 {
            spent += patience.window
            patience.noteWait(Patience.longest, after: .inVain)
        }
        #expect(!patience.looks && spent < 2 * Patience.longest)
    }

    @Test func leavesTheCoreToOthers() {
        var patience = Patience()
        for _ in 0..<10 { patience.noteWait(0, after: .inVain) }
        for _ in 0..<10 { patience.noteWait(0, after: .crowded) }
        #expect(!patience.looks)
    }

    @Test func startsAgainWhenTheyComeSoon() {
        var patience = Patience()
        for _ in 0..<10 { patience.noteWait(1_000_000, after: .inVain) }
        #expect(!patience.looks)
        patience.noteWait(1_000, after: .inVain)
        #expect(patience.window == Patience.shortest)
        patience.noteWait(1_000, after: .inVain)
        #expect(patience.window == 2 * Patience.shortest)
    }

    @Test func withoutPatienceNobodyLooks() {
        var patience = Patience()
        for _ in 0..<10 { patience.noteWait(1_000_000, after: .inVain) }
        let look = patience.look(since: Patience.now()) {
            Issue.record("it asked")
            return true
        }
        #expect(look == .inVain)
    }

    @Test func looksForSoLongAndNoLonger() {
        let patience = Patience()
        let start = Patience.now()
        #expect(patience.look(since: start) { false } != .found)
        var asked = 0
        let look = patience.look(since: Patience.now()) {
            asked += 1
            return true
        }
        #expect(look == .found && asked == 1)
    }
}
