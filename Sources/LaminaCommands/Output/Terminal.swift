// Terminal owns the two output streams: whole lines, and whether a person is watching.

import Glibc

enum Terminal {
    /// Whether stderr is a terminal, on which a progress bar may be redrawn.
    static var showsProgress: Bool { isatty(STDERR_FILENO) == 1 }

    /// Whether stdin is a terminal, where no archive comes from.
    static var inputIsTerminal: Bool { isatty(STDIN_FILENO) == 1 }

    /// The terminal's width in characters.
    static var width: Int {
        var size = winsize()
        // SAFETY: the kernel fills the local; without a terminal it stays zero.
        _ = unsafe ioctl(STDERR_FILENO, UInt(TIOCGWINSZ), &size)
        return size.ws_col > 20 ? Int(size.ws_col) : 80
    }

    /// Prints `lamina: <line>` to stderr. Control characters are dropped, so that a name
    /// from an image cannot move the cursor.
    static func error(_ line: String) {
        write("lamina: \(clean(line))\n", to: STDERR_FILENO)
    }

    /// Writes to stderr as it is.
    static func draw(_ text: String) {
        write(text, to: STDERR_FILENO)
    }

    /// Text without control characters, but for those of `kept`.
    static func clean(_ text: String, keeping kept: String = "") -> String {
        let allowed = kept.unicodeScalars
        let kept = text.unicodeScalars.map { scalar -> Unicode.Scalar in
            if allowed.contains(scalar) { return scalar }
            return scalar.value < 0x20 || (0x7F...0x9F).contains(scalar.value) ? " " : scalar
        }
        return String(String.UnicodeScalarView(kept))
    }

    private static func write(_ text: String, to descriptor: Int32) {
        var bytes = Array(text.utf8)[...]
        while !bytes.isEmpty {
            // SAFETY: the slice is alive during the call.
            let count = unsafe bytes.withUnsafeBytes { buffer in
                unsafe Glibc.write(descriptor, buffer.baseAddress, buffer.count)
            }
            if count <= 0 { return }
            bytes = bytes.dropFirst(count)
        }
    }
}
