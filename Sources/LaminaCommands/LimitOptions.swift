// LimitOptions are the bounds of a layer as flags: one for each that the library has.

import ArgumentParser
import LaminaEngine

struct LimitOptions: ParsableArguments {
    @Option(help: ArgumentHelp("Entries of a layer's tar, extended headers counted.", valueName: "count"))
    var maxEntries = LoadLimits().entries

    @Option(help: ArgumentHelp("Bytes of a layer's tar, decompressed.", valueName: "bytes"))
    var maxLayerSize = ByteSize(LoadLimits().tarSize)

    @Option(
        help: ArgumentHelp(
            "Decompressed bytes for one compressed byte, beyond what --free-expansion allows.",
            valueName: "times"))
    var maxExpansion = LoadLimits().expansion

    @Option(help: ArgumentHelp("Decompressed bytes that any layer may have.", valueName: "bytes"))
    var freeExpansion = ByteSize(LoadLimits().freeExpansion)

    @Option(help: ArgumentHelp("Bytes of one extended header.", valueName: "bytes"))
    var maxHeaderSize = ByteSize(UInt64(LoadLimits().extendedHeaderSize))

    @Option(help: ArgumentHelp("Bytes of all sparse files of a layer, holes counted.", valueName: "bytes"))
    var maxSparseSize = ByteSize(LoadLimits().sparseSize)

    @Option(help: ArgumentHelp("Bytes of all link targets and xattrs of a layer.", valueName: "bytes"))
    var maxMetadataSize = ByteSize(UInt64(LoadLimits().metadataSize))

    var limits: LoadLimits {
        var limits = LoadLimits()
        limits.entries = maxEntries
        limits.tarSize = maxLayerSize.bytes
        limits.expansion = maxExpansion
        limits.freeExpansion = freeExpansion.bytes
        limits.extendedHeaderSize = Int(clamping: maxHeaderSize.bytes)
        limits.sparseSize = maxSparseSize.bytes
        limits.metadataSize = maxMetadataSize.bytes
        return limits
    }
}

/// A number of bytes: plain, or with K, M, G or T for powers of 1024.
struct ByteSize: ExpressibleByArgument, Sendable, Hashable {
    var bytes: UInt64

    private static let units: [Character: UInt64] = ["K": 1 << 10, "M": 1 << 20, "G": 1 << 30, "T": 1 << 40]

    init(_ bytes: UInt64) {
        self.bytes = bytes
    }

    init?(argument: String) {
        let unit = argument.last.flatMap { Self.units[Character($0.uppercased())] }
        guard let number = UInt64(unit == nil ? argument[...] : argument.dropLast()) else { return nil }
        let (bytes, overflow) = number.multipliedReportingOverflow(by: unit ?? 1)
        if overflow { return nil }
        self.bytes = bytes
    }

    var defaultValueDescription: String {
        let unit = Self.units.filter { bytes > 0 && bytes % $0.value == 0 }.max { $0.value < $1.value }
        return unit.map { "\(bytes / $0.value)\($0.key)" } ?? "\(bytes)"
    }
}
