// What a load notes of its objects, beside SQLite itself with rows of the same size in one transaction.

import Benchmark
import Control
import LaminaCatalog
import LaminaCodec
import LaminaCore
import LaminaSystem

private let count = 1000

func catalogue() throws {
    let scratch = try Scratch("catalogue")
    let beside = try Scratch("catalogue-control")
    let contents = (0..<count).map { number in
        ContentRecord(.object, SHA256.digest(of: Array("\(number)".utf8).raw), diskSize: Int64(number))
    }
    var turn = 0
    compared("catalogue: \(count) new objects") {
        turn += 1
        try scratch.directory().makeDirectory(ByteString("\(turn)"), permissions: 0o700)
        let catalogue = try Catalog(path: "\(scratch.path)/\(turn)/lamina.db")
        try catalogue.whileKnown(contents) {}
    } control: {
        turn += 1
        let path = "\(beside.path)/\(turn).db"
        // SAFETY: the string is NUL-terminated for the call.
        try demand(unsafe control_insert(path, count) == 1, "SQLite failed")
    }
}
