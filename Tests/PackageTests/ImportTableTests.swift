// ImportTableTests holds the one way in which imports run (docs/ARCHITECTURE.md, "Modules"). A module that is not
// in the table has no allowed imports, so that a new one must be entered here first.

import Testing

/// What each module may import. Modules of the system that every layer may use are in `everywhere`.
private let table: [String: Set<String>] = [
    "LaminaCore": [],
    "LaminaSystem": ["LaminaCore", "CLinux"],
    "LaminaCodec": ["LaminaCore", "LaminaSystem", "CLinux", "CZstd", "CLZ4", "CISAL", "CCrypto", "CSHA256"],
    "LaminaStore": ["LaminaCore", "LaminaSystem", "LaminaCodec", "CLinux"],
    "LaminaIndex": ["LaminaCore", "LaminaSystem", "LaminaCodec", "CLinux"],
    "LaminaUnion": ["LaminaCore", "LaminaSystem", "LaminaCodec", "LaminaIndex", "CLinux"],
    "LaminaFuse": ["LaminaCore", "LaminaSystem", "LaminaIndex", "LaminaUnion", "CLinux", "CFuse3"],
    "lamina-mountd": [
        "LaminaCore", "LaminaSystem", "LaminaCodec", "LaminaIndex", "LaminaUnion", "LaminaFuse",
    ],
    "LaminaCatalog": ["LaminaCore", "LaminaSystem", "GRDB", "Foundation"],
    "LaminaEngine": [
        "LaminaCore", "LaminaSystem", "LaminaCodec", "LaminaStore", "LaminaIndex", "LaminaCatalog", "CLinux",
        "Foundation", "Dispatch",
    ],
    "LaminaCommands": ["LaminaCore", "LaminaSystem", "LaminaEngine", "ArgumentParser", "Foundation"],
    "lamina": ["LaminaCommands"],
    "lamina-prune": ["LaminaEngine", "LaminaCommands"],
    // The door of libFuzzer, which Tools/fuzz compiles.
    "support": ["FuzzTargets"],
]

/// The C library, the standard library's own modules, and the values of swift-system.
private let everywhere: Set<String> = ["Glibc", "Swift", "Synchronization", "SystemPackage"]

@Suite struct ImportTableTests {
    @Test func everyImportIsInTheTable() throws {
        let files = try SourceTree.files(in: ["Sources", "Tools"])
        #expect(files.count > 10)
        for file in files {
            let allowed = try #require(table[file.module], "\(file): no row for module \(file.module)")
            for name in file.imports {
                let isAllowed = everywhere.contains(name) || allowed.contains(name)
                #expect(isAllowed, "\(file) imports \(name)")
            }
        }
    }

    @Test func noFoundationBelowTheCatalogue() {
        let above: Set = ["LaminaCatalog", "LaminaEngine", "LaminaCommands"]
        for (module, allowed) in table where !above.contains(module) {
            #expect(allowed.isDisjoint(with: ["Foundation", "FoundationEssentials"]), "\(module)")
        }
    }

    /// Walks the table itself: a module never reaches itself through what it imports.
    @Test func theTableHasNoCycle() {
        for start in table.keys {
            var reached: Set<String> = []
            var pending = Array(table[start] ?? [])
            while let module = pending.popLast() {
                if reached.insert(module).inserted { pending += table[module] ?? [] }
            }
            #expect(!reached.contains(start), "\(start) reaches itself")
        }
    }

    @Test(arguments: [
        ("import LaminaCore", "LaminaCore"),
        ("@testable import LaminaIndex", "LaminaIndex"),
        ("public import struct SystemPackage.Errno", "SystemPackage"),
        ("@_exported public import Foundation  // why", "Foundation"),
        ("    internal import CLinux", "CLinux"),
    ])
    func readsImports(_ line: String, _ module: String) {
        #expect(SourceFile.importedModule(in: line) == module)
    }

    @Test(arguments: ["// import Foundation", "let import_ = 1", "important()", "import", ""])
    func readsNothingElse(_ line: String) {
        #expect(SourceFile.importedModule(in: line) == nil)
    }
}
