// extraction-floor: the least that any extraction of these layers must do, as the denominator of
// a ratio. Usage: extraction-floor OUTDIR BLOB...

import Glibc
import LaminaCore

let arguments = CommandLine.arguments.dropFirst()
guard let directory = arguments.first, arguments.count > 1 else {
    print("usage: extraction-floor OUTDIR BLOB...")
    exit(2)
}
do {
    let floor = Floor(directory: ByteString(directory))
    let blobs = arguments.dropFirst().map { ByteString($0) }
    for line in try floor.run(blobs) { print(line) }
} catch {
    print("extraction-floor: \(error)")
    exit(1)
}
