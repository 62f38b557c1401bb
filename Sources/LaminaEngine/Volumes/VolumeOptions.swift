// VolumeOptions owns what `-o` and `volume-opt` may say of a volume. What cannot be kept is refused by
// name, never taken and ignored.

import LaminaCore

/// The checked options of a volume.
struct VolumeOptions: Sendable, Hashable {
    /// Docker's options of the driver "local" by which it mounts something else in the volume's place.
    private static let mounting: Set<String> = ["type", "device", "o"]

    init(_ options: [String: String]) throws(Refusal) {
        for (name, value) in options.sorted(by: { $0.key < $1.key }) {
            if name == "size" {
                guard MemorySize.bytes(value) != nil else { throw Refusal("invalid size: '\(value)'") }
                throw .unsupported(
                    "size", "nothing here could enforce it: Lamina sets no quotas of the filesystem")
            }
            if Self.mounting.contains(name) {
                throw .unsupported(name, "a volume is a directory of the store, and mounts nothing")
            }
            throw Refusal("invalid option: \"\(name)\"")
        }
    }

    /// Volumes have one driver.
    static func checkDriver(_ name: String) throws(Refusal) {
        if name != "local" { throw Refusal("volume driver \"\(name)\" is not supported, only \"local\"") }
    }
}
