import LaminaCodec
import LaminaCore
import Testing

@testable import LaminaIndex

@Suite struct LayerIndexBuilderTests {
    func lines(_ layer: TestLayer) throws -> [String] {
        try withScratch { scratch in
            try layer.write(to: scratch + "/index")
            return try describe(try openTree(scratch + "/index"))
        }
    }

    @Test func keepsEveryKindOfNode() throws {
        var layer = TestLayer(1)
        layer.directory("d", permissions: 0o1777)
        layer.file("d/f", block: 7, length: 513, permissions: 0o4755)
        layer.add("d/empty", .file, .regular)
        layer.symlink("d/l", to: "../x")
        layer.hardLink("d/h", to: "d/f")
        layer.add("d/c", .device, .characterDevice, device: DeviceNumber(major: 4095, minor: 1_048_575))
        layer.add("d/b", .device, .blockDevice, device: DeviceNumber(major: 8, minor: 1))
        layer.add("d/p", .fifo, .fifo)
        layer.add("d/o", .file, .regular, data: .object(digest(0xAB), length: 10 << 30))
        #expect(
            try lines(layer) == [
                "/ 40755 3",
                "/d 41777 2",
                "/d/b 60644 1 8:1",
                "/d/c 20644 1 4095:1048575",
                "/d/empty 100644 1 empty",
                "/d/f 104755 2 0:7+513",
                "/d/h 104755 2 0:7+513",
                "/d/l 120777 1 -> ../x",
                "/d/o 100644 1 ab+10737418240",
                "/d/p 10644 1",
            ])
    }

    @Test func lastEntryOfAPathCounts() throws {
        var layer = TestLayer(1)
        layer.file("a", block: 1)
        layer.hardLink("b", to: "a")
        layer.file("a", block: 2)
        layer.directory("d")
        layer.file("d/x", block: 3)
        layer.directory("d", permissions: 0o700)
        layer.directory("e")
        layer.file("e/y", block: 4)
        layer.file("e", block: 5)
        layer.directory("e")
        layer.file("e/z", block: 6)
        #expect(
            try lines(layer) == [
                "/ 40755 4", "/a 100644 1 0:2+10", "/b 100644 1 0:1+10", "/d 40700 2", "/d/x 100644 1 0:3+10",
                "/e 40755 2", "/e/z 100644 1 0:6+10",
            ])
    }

    @Test func whiteoutsHideLowerLayersOnly() throws {
        var layer = TestLayer(1)
        layer.file("d/kept")
        layer.whiteout("d/.wh.gone")
        layer.whiteout("d/.wh.kept")
        layer.whiteout("d/.wh..wh..opq")
        layer.file("d/later")
        layer.whiteout(".wh.anew")
        layer.directory("anew")
        layer.file("anew/x")
        layer.whiteout("before/.wh.sub")
        layer.whiteout(".wh..wh.aufs")
        layer.file(".wh..wh.plnk/1", block: 9)
        layer.hardLink("linked", to: ".wh..wh.plnk/1")
        #expect(
            try lines(layer) == [
                "/ 40755 5", "/anew 40755 2 opaque", "/anew/x 100644 1 0:1+10", "/before 40755 2",
                "/before/sub 20000 2 0:0", "/d 40755 2 opaque", "/d/gone 20000 2 0:0",
                "/d/kept 100644 1 0:1+10",
                "/d/later 100644 1 0:1+10", "/linked 100644 1 0:9+10",
            ])
    }

    @Test func escapesTheUnionsXattrs() throws {
        var layer = TestLayer(1)
        layer.directory(
            "d",
            attributes: [
                "trusted.overlay.opaque": "y", "trusted.overlay.lamina.implied": "", "user.x": "1",
                "security.capability": "c", "system.posix_acl_access": "a", "system.posix_acl_default": "b",
                "trusted.overlay.overlay.redirect": "r", "com.apple.provenance": "dropped",
            ])
        #expect(
            try lines(layer) == [
                "/ 40755 3",
                "/d 40755 2 security.capability=c system.posix_acl_access=a system.posix_acl_default=b "
                    + "trusted.overlay.lamina.implied= trusted.overlay.opaque=y trusted.overlay.overlay.redirect=r user.x=1",
            ])
    }

    @Test func countsXattrsOfForeignSystems() throws {
        var layer = TestLayer(1)
        layer.directory("d", attributes: ["com.apple.a": "", "com.apple.b": ""])
        var builder = LayerIndexBuilder()
        for (entry, data) in layer.entries { try builder.add(entry, data: data) }
        #expect(builder.foreignAttributes?.first == "com.apple.a")
        #expect(builder.foreignAttributes?.count == 2)
    }

    @Test func refusesWhatCannotBeATree() throws {
        func refusal(_ fill: (inout TestLayer) -> Void) throws -> LayerError? {
            var layer = TestLayer(1)
            fill(&layer)
            var builder = LayerIndexBuilder()
            do throws(LayerError) {
                for (entry, data) in layer.entries { try builder.add(entry, data: data) }
            } catch {
                return error
            }
            return nil
        }
        #expect(
            try refusal {
                $0.symlink("a/l", to: "/etc"); $0.file("a/l/x")
            }
                == .parentIsSymlink(path: "a/l/x", parent: "a/l"))
        #expect(
            try refusal {
                $0.file("f"); $0.file("f/x")
            } == .parentNotDirectory(path: "f/x", parent: "f"))
        #expect(try refusal { $0.hardLink("a", to: "a") } == .hardLinkToItself("a"))
        #expect(
            try refusal {
                $0.directory("d"); $0.hardLink("a", to: "d")
            }
                == .hardLinkToDirectory(path: "a", target: "d"))
        #expect(
            try refusal {
                $0.symlink("l", to: "x"); $0.hardLink("a", to: "l/f")
            }
                == .parentIsSymlink(path: "l/f", parent: "l"))
        #expect(try refusal { $0.whiteout("d/.wh.") } == .badWhiteout("d/.wh."))
        #expect(try refusal { $0.whiteout("d/.wh..") } == .badWhiteout("d/.wh.."))
        #expect(try refusal { $0.file("d/.wh.x/f") } == .badWhiteout("d/.wh.x/f"))
        #expect(try refusal { $0.file("") } == .emptyName)
        #expect(
            try refusal { $0.directory("d", attributes: ["system.nfs4_acl": ""]) }
                == .attributeNotStorable(path: "d", attribute: "system.nfs4_acl"))
        #expect(
            try refusal {
                $0.add("c", .device, .characterDevice, device: DeviceNumber(major: 4096, minor: 0))
            }
                == .badDevice("c"))
        #expect(
            try refusal { layer in
                let value = String(repeating: "x", count: 60_000)
                layer.directory(
                    "d",
                    attributes: [
                        "user.a": value, "user.b": value, "user.c": value, "user.d": value, "user.e": value,
                    ])
            } == .attributesTooLarge("d"))
    }

    @Test func aHardLinkToALowerLayerIsAPlaceholder() throws {
        var layer = TestLayer(1)
        layer.hardLink("a", to: "below/b")
        #expect(try lines(layer) == ["/ 40755 2", "/a 100644 1 empty"])
    }
}
