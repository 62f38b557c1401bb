// SHA-256 as layers and objects are hashed, beside libcrypto in one call.

import Benchmark
import Control
import LaminaCodec
import LaminaCore

func hashing() {
    let bytes = compressible(8 << 20)
    let expected = SHA256.digest(of: bytes.raw)
    compared("SHA-256 of 8 MiB") {
        try demand(SHA256.digest(of: bytes.raw) == expected, "another digest")
    } control: {
        var digest = [UInt8](repeating: 0, count: 32)
        // SAFETY: the digest has 32 bytes, and both arrays live through the call.
        let done = unsafe bytes.withUnsafeBytes { unsafe control_sha256($0.baseAddress, $0.count, &digest) }
        try demand(done == 1, "libcrypto failed")
    }
}
