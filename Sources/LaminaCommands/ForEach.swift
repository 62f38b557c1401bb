// What a verb with several arguments does: all of them, an error for each that fails,
// and the first failure's exit code.

import ArgumentParser
import LaminaEngine

func forEach(_ names: [String], _ body: (String) throws(LaminaError) -> Void) throws(ExitCode) {
    var first: LaminaError.Code?
    for name in names {
        do throws(LaminaError) {
            try body(name)
        } catch {
            Terminal.error(error.message)
            first = first ?? error.code
        }
    }
    if let first { throw ExitCode(first.rawValue) }
}
