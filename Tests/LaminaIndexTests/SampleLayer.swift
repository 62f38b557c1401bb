// A layer with everything that a layer can hold, from a seed: for fsck.erofs, the kernel
// and damage.

import Foundation
import LaminaCore
import LaminaSystem

@testable import LaminaIndex

struct SampleLayer {
    var layer: TestLayer
    /// The stream's size in blocks of 512 bytes.
    static let streamBlocks = 4096

    private let objects: Bool

    /// `scale` directories, each with up to 40 nodes of all kinds.
    init(id: UInt8, seed: UInt64, scale: Int = 30, objects: Bool = true) {
        layer = TestLayer(id)
        self.objects = objects
        layer.streamSize = UInt64(Self.streamBlocks * 512 - 100)
        var random = SeededGenerator(seed: seed)
        layer.directory("", permissions: 0o755, attributes: ["user.root": "yes"])
        var directories: [ByteString] = [""]
        var files: [ByteString] = []
        for _ in 0..<scale {
            let parent = directories[Int.random(in: 0..<directories.count, using: &random)]
            let directory = parent.appending(Self.name(&random))
            if random.next() % 4 != 0 {
                layer.directory(
                    directory, permissions: 0o700 + UInt32(random.next() % 64),
                    attributes: Self.attributes(&random))
            }
            directories.append(directory)
            for _ in 0..<Int.random(in: 1...40, using: &random) {
                let path = directory.appending(Self.name(&random))
                addNode(path, &files, &random)
            }
        }
        layer.file("block-1", block: 1, length: 512)
        layer.add("before-1970", .file, .regular, mtime: Timestamp(seconds: -1, nanoseconds: 1))
        layer.add(
            "late", .file, .regular, mtime: Timestamp(seconds: 1 << 34, nanoseconds: 999_999_999))
        layer.add("owner", .file, .regular, permissions: 0o7777, uid: .max - 1, gid: .max - 1)
        layer.directory("acl")
        layer.entries[layer.entries.count - 1].entry.extendedAttributes = [
            ExtendedAttribute(name: "system.posix_acl_access", value: Self.acl),
            ExtendedAttribute(name: "system.posix_acl_default", value: Self.acl),
        ]
        if objects { layer.add("huge", .file, .regular, data: .object(digest(7), length: 3 << 40)) }
        layer.directory("xattr")
        layer.entries[layer.entries.count - 1].entry.extendedAttributes = [
            ExtendedAttribute(name: "user.large", value: [UInt8](repeating: 7, count: 65_535)),
            ExtendedAttribute(name: "user.zero", value: []),
        ]
    }

    private mutating func addNode(
        _ path: ByteString, _ files: inout [ByteString], _ random: inout SeededGenerator
    ) {
        let attributes = Self.attributes(&random)
        let uid = UInt32(truncatingIfNeeded: random.next() % 100_000)
        let mtime = Timestamp(
            seconds: Int64(random.next() % 2_000_000_000), nanoseconds: UInt32(random.next() % 1_000_000_000))
        switch random.next() % 12 {
        case 0:
            let length = Int.random(in: 1...(random.next() % 4 == 0 ? 4095 : 60), using: &random)
            layer.add(
                path, .symlink(target: ByteString(repeatElement(0x61, count: length))), .symlink,
                permissions: 0o777, uid: uid, mtime: mtime,
                attributes: attributes.filter { !$0.key.hasPrefix("user.") })
        case 1 where !files.isEmpty:
            layer.hardLink(path, to: files[Int.random(in: 0..<files.count, using: &random)])
        case 2:
            layer.add(
                path, .device, .blockDevice,
                device: DeviceNumber(major: 8, minor: UInt32(random.next() % 1_000_000)))
        case 3: layer.add(path, .device, .characterDevice, device: DeviceNumber(major: 1, minor: 3))
        case 4: layer.add(path, .fifo, .fifo, attributes: attributes.filter { !$0.key.hasPrefix("user.") })
        case 5: layer.add(path, .file, .regular, uid: uid, mtime: mtime, attributes: attributes)
        case 6 where objects:
            let length = 65_536 + random.next() % (20 << 30)
            layer.add(
                path, .file, .regular, uid: uid,
                data: .object(digest(UInt8(random.next() % 256)), length: length))
        default:
            let length = 1 + random.next() % 65_535
            let block = random.next() % UInt64(Self.streamBlocks - 129)
            layer.add(
                path, .file, .regular, permissions: UInt32(random.next() % 0o10000), uid: uid, gid: uid / 2,
                mtime: mtime, attributes: attributes, data: .stream(offset: block * 512, length: length))
            files.append(path)
        }
    }

    private static func name(_ random: inout SeededGenerator) -> ByteString {
        let length = Int.random(in: 1...(random.next() % 10 == 0 ? 240 : 14), using: &random)
        var bytes = (0..<length).map { _ in UInt8.random(in: 1...255, using: &random) }
        bytes = bytes.map { $0 == UInt8(ascii: "/") || $0 == UInt8(ascii: ".") ? 0x2D : $0 }
        // Unique, so that no later entry replaces what a hard link names.
        return ByteString(bytes + Array(String(random.next() % 1_000_000_000).utf8))
    }

    private static func attributes(_ random: inout SeededGenerator) -> [ByteString: String] {
        guard random.next() % 4 == 0 else { return [:] }
        let value = String(repeating: "v", count: Int(random.next() % 700))
        return ["user.a": value, "trusted.overlay.opaque": "y", "trusted.t": "", "security.s": "1"]
    }

    /// A POSIX ACL as `acl(5)` has it in an xattr: user::rw-, user:1000:r--, group::r--, mask::r--, other::---.
    private static let acl: [UInt8] = {
        let entries: [(tag: UInt8, bits: UInt8, id: UInt32)] = [
            (1, 6, .max), (2, 4, 1000), (4, 4, .max), (16, 4, .max), (32, 0, .max),
        ]
        var bytes: [UInt8] = [2, 0, 0, 0]
        for entry in entries {
            bytes += [entry.tag, 0, entry.bits, 0]
            for shift in [0, 8, 16, 24] { bytes.append(UInt8(truncatingIfNeeded: entry.id >> UInt32(shift))) }
        }
        return bytes
    }()

    /// Block `number` of the stream: every byte depends on it.
    static func block(_ number: UInt64) -> [UInt8] {
        (0..<512).map { UInt8(truncatingIfNeeded: number &* 31 &+ UInt64($0)) }
    }

    static func writeStream(to path: String) throws {
        let file = try createFile(path)
        try file.writeAll((0..<UInt64(streamBlocks)).flatMap(block))
    }
}
