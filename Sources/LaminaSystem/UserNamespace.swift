// Whether this process is in the machine's own user namespace, where root is root.

import Glibc
import LaminaCore

public enum UserNamespace {
    /// Whether this is another namespace than the first: its map of ids is not the identity
    /// (`user_namespaces(7)`). False where /proc does not say.
    public static var isNested: Bool {
        guard let file = try? Descriptor.open("/proc/self/uid_map", O_RDONLY),
            let text = try? file.readBytes(at: 0, count: 4096)
        else { return false }
        let numbers = text.split { $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\n") }
            .map { String(decoding: $0, as: UTF8.self) }
        return numbers != ["0", "0", "4294967295"]
    }
}
