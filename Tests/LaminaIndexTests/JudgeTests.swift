// The two judges that we did not write: fsck.erofs and the kernel.

import Foundation
import Glibc
import LaminaCore
import LaminaSystem
import Testing

@testable import LaminaIndex

@Suite struct JudgeTests {
    /// Two layers of everything, their chain, and the stream that both name.
    private func withImages(_ body: (_ scratch: String, _ chain: String) throws -> Void) throws {
        try withScratch { scratch in
            let layers = [SampleLayer(id: 1, seed: 11), SampleLayer(id: 2, seed: 12)]
            try SampleLayer.writeStream(to: scratch + "/stream")
            var trees: [SharedTree] = []
            for (number, sample) in layers.enumerated() {
                try sample.layer.write(to: "\(scratch)/layer\(number)")
                trees.append(SharedTree(try openTree("\(scratch)/layer\(number)")))
            }
            try ChainMerge.write(trees, to: try createFile(scratch + "/chain"))
            try body(scratch, scratch + "/chain")
        }
    }

    @Test func fsckAccepts() throws {
        try withImages { scratch, chain in
            let device = "--device=\(scratch)/stream"
            for arguments in [[device, scratch + "/layer0"], [device, device, chain]] {
                guard let output = try fsck(arguments) else { return }
                #expect(output.contains("No errors found"))
            }
        }
    }

    /// `--extract` makes fsck read every byte. It cannot skip a hole of 2 GiB or more (its
    /// offset is an `int`), so this layer has no objects; nor are xattrs extracted, which
    /// the scratch filesystem may not hold.
    @Test func fsckReadsEveryByte() throws {
        try withScratch { scratch in
            try SampleLayer.writeStream(to: scratch + "/stream")
            try SampleLayer(id: 1, seed: 13, objects: false).layer.write(to: scratch + "/layer")
            let options = ["--no-xattrs", "--extract=\(scratch)/tree", "--device=\(scratch)/stream"]
            guard try fsck(options + [scratch + "/layer"]) != nil else { return }
            let file = try Descriptor.open(ByteString(scratch + "/tree/block-1"), O_RDONLY)
            #expect(try file.readAll(limit: 600) == SampleLayer.block(1))
        }
    }

    /// What fsck.erofs says of an image that it must accept; nil when it cannot run.
    private func fsck(_ arguments: [String]) throws -> String? {
        let (status, output) = try run([Self.fsck, "-d3"] + arguments)
        if status == 3 {
            try skip("fsck.erofs: \(output)")
            return nil
        }
        #expect(status == 0 && !output.contains("<E>"), "\(output)")
        return output
    }

    @Test func fsckRefusesADamagedIndex() throws {
        try withScratch { scratch in
            var layer = TestLayer(1)
            layer.file("a")
            layer.file("b")
            try layer.write(to: scratch + "/index")
            let file = try Descriptor.open(ByteString(scratch + "/index"), O_RDWR)
            var bytes = try file.readAll(limit: 1 << 20)
            // The second name of the root's block becomes the third's twin.
            let names = try #require(bytes.firstRange(of: Array("...ab".utf8)))
            bytes[names.lowerBound + 3] = UInt8(ascii: "b")
            try file.writeAll(bytes.raw, at: 0)
            let (status, output) = try run([Self.fsck, scratch + "/index"])
            if status == 3 { return try skip("fsck.erofs: \(output)") }
            #expect(status != 0, "\(output)")
        }
    }

    @Test func theKernelReadsTheSameTree() throws {
        try withImages { scratch, chain in
            for (image, devices) in [(scratch + "/layer1", 1), (chain, 2)] {
                let point = scratch + "/mnt"
                try FileManager.default.createDirectory(atPath: point, withIntermediateDirectories: true)
                let options = Array(repeating: "device=\(scratch)/stream", count: devices).joined(
                    separator: ",")
                guard unsafe mount(image, point, "erofs", UInt(MS_RDONLY), options) == 0 else {
                    return try skip("mount of a file as erofs: \(Errno(rawValue: errno))")
                }
                defer { _ = unsafe umount2(point, Int32(MNT_DETACH)) }
                let compared = try compare(try openTree(image), ByteString(point))
                #expect(compared > 500)
            }
        }
    }

    /// Walks tree and mount together; returns the number of nodes that are equal.
    private func compare(_ tree: borrowing Tree, _ point: ByteString) throws -> Int {
        var pending: [(path: ByteString, nid: UInt64)] = [(point, Tree.root)]
        var count = 0
        while let (path, nid) = pending.popLast() {
            try compareNode(tree, nid, path)
            count += 1
            guard try tree.node(nid).type == .directory else { continue }
            var names: [ByteString] = []
            try tree.forEachEntry(of: nid, from: 0) { name, child, _, _ in
                let name = ByteString(name)
                if name != "." && name != ".." {
                    names.append(name)
                    pending.append((path.appending(name), child))
                }
                return true
            }
            #expect(try Descriptor.open(path, O_RDONLY | O_DIRECTORY).entries().map(\.name) == names)
        }
        return count
    }

    private func compareNode(_ tree: borrowing Tree, _ nid: UInt64, _ path: ByteString) throws {
        let node = try tree.node(nid)
        let status = try FileStatus.of(path)
        #expect(status.inode == nid)
        #expect(status.mode == node.mode)
        #expect(status.linkCount == node.linkCount)
        #expect(status.uid == node.uid && status.gid == node.gid)
        #expect(status.size == Int64(node.size))
        #expect(status.mtime == node.mtime)
        #expect(status.namedDevice == node.device)
        let file = try Descriptor.open(path, OpenFlag.path | O_NOFOLLOW)
        for attribute in try tree.extendedAttributes(nid) {
            var name = attribute.name
            if name.hasPrefix(Whiteout.attributePrefix) {
                name = Whiteout.escapedAttributePrefix + name.dropFirst(Whiteout.attributePrefix.count)
            }
            #expect(try file.extendedAttribute(name) == attribute.value)
        }
        switch node.type {
        case .symlink: #expect(try file.readLink("") == tree.symlinkTarget(nid))
        case .regular:
            switch try tree.content(nid) {
            case .empty: break
            case .stream(_, let offset, let length):
                let blocks = (offset / 512)...((offset + length - 1) / 512)
                let expected = blocks.flatMap(SampleLayer.block).prefix(Int(length))
                #expect(
                    try Descriptor.open(path, O_RDONLY).readBytes(at: 0, count: Int(length))
                        == Array(expected))
            case .object(let digest, _):
                #expect(try file.extendedAttribute(Whiteout.redirectAttribute) == digest.objectPath)
                #expect(try file.extendedAttribute(Whiteout.metacopyAttribute) == [])
            }
        default: break
        }
    }

    static let fsck = URL(filePath: #filePath).appending(path: "../../../Tools/fsck-erofs").standardized
        .path()

    private func run(_ command: [String]) throws -> (status: Int32, output: String) {
        let process = Process()
        process.executableURL = URL(filePath: command[0])
        process.arguments = Array(command.dropFirst())
        let pipe = Foundation.Pipe()
        process.standardOutput = pipe
        process.standardError = pipe
        try process.run()
        let output = try pipe.fileHandleForReading.readToEnd() ?? Data()
        process.waitUntilExit()
        return (process.terminationStatus, String(decoding: output, as: UTF8.self))
    }

    /// Says loudly that a test did not run; in CI that is a failure.
    private func skip(_ reason: String) throws {
        print("SKIPPED: \(reason)")
        #expect(ProcessInfo.processInfo.environment["LAMINA_CI"] != "1", "skipped in CI: \(reason)")
    }
}
