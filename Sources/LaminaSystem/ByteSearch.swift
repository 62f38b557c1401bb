// Finding bytes in bytes at the C library's speed.

import CLinux
import LaminaCore

extension RawSpan {
    /// Where the first run of bytes equal to `wanted` starts, at `start` or behind it; nil when
    /// there is none (`memmem(3)`). O(bytes).
    public func firstOffset(of wanted: RawSpan, from start: Int = 0) -> Int? {
        guard start >= 0, start <= byteCount else { return nil }
        // SAFETY: both are readable during the call, and a place found lies within the bytes.
        return unsafe withUnsafeBytes { bytes in
            unsafe wanted.withUnsafeBytes { wanted in
                guard let base = bytes.baseAddress, let needle = wanted.baseAddress else { return nil }
                let place = unsafe clinux_memmem(base + start, bytes.count - start, needle, wanted.count)
                return unsafe place.map { unsafe $0 - base }
            }
        }
    }
}
