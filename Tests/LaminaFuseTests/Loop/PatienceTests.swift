// When the leader looks for the next request before it sleeps.

import Glibc
import LaminaCore
import LaminaSystem
import Testing

@testable import LaminaFuse

@Suite struct PatienceTests {
    @Test func givesUpAfterFailuresAndComesBack() {
        var patience = Patience()
        var failures = 0
        while patience.looks, failures < 100 {
            patience.note(found: false)
            failures += 1
        }
        #expect((1...4).contains(failures))
        patience.noteSleep(1_000_000)
        #expect(!patience.looks)
        patience.noteSleep(5_000)
        #expect(patience.looks)
        for _ in 0..<100 { patience.note(found: true) }
        failures = 0
        while patience.looks, failures < 100 {
            patience.note(found: false)
            failures += 1
        }
        #expect(failures == 4)
    }

    @Test func looksForSoLongAndNoLonger() throws {
        let pipe = try ProcessPipe()
        let writeEnd = try pipe.writeEnd.duplicate()
        let end = pipe.takeReadEnd()
        #expect(!Patience.look(at: end.rawValue))
        try writeEnd.writeAll(Array("x".utf8))
        #expect(Patience.look(at: end.rawValue))
    }
}
