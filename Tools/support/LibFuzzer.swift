// The door through which libFuzzer comes; Tools/fuzz compiles this with -sanitize=fuzzer.
// LAMINA_FUZZ names the reader that gets the bytes.

import FuzzTargets
import Glibc

private let target: FuzzTarget = {
    // SAFETY: the environment does not change; getenv gives a C string.
    guard let name = unsafe getenv("LAMINA_FUZZ"),
        let target = FuzzTarget(rawValue: unsafe String(cString: name))
    else { preconditionFailure("LAMINA_FUZZ must be one of \(FuzzTarget.allCases.map(\.rawValue))") }
    return target
}()

@_cdecl("LLVMFuzzerTestOneInput")
public func testOneInput(_ bytes: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    // SAFETY: libFuzzer gives `count` readable bytes.
    target.run(Array(unsafe UnsafeBufferPointer(start: bytes, count: count)))
    return 0
}
