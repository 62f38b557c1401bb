// Names for sandboxes that people can say: an adjective and a geologist's word.

enum NameGenerator {
    private static let adjectives = [
        "able", "amber", "ample", "bold", "brave", "bright", "brisk", "calm", "clear", "clever", "cool", "crisp",
        "deep", "eager", "early", "easy", "fair", "fast", "fine", "firm", "fresh", "gentle", "glad", "golden",
        "grand", "green", "happy", "jolly", "keen", "kind", "light", "lively", "lucky", "mellow", "merry", "mild",
        "neat", "noble", "plain", "prime", "proud", "quick", "quiet", "rapid", "ready", "rosy", "round", "sharp",
        "silent", "silver", "smooth", "solid", "steady", "still", "sunny", "swift", "tidy", "vivid", "warm", "wise",
    ]
    private static let nouns = [
        "agate", "ash", "basalt", "basin", "beryl", "boulder", "canyon", "chalk", "clay", "cliff", "cobalt",
        "coral", "crater", "crystal", "delta", "dolomite", "dune", "feldspar", "flint", "fossil", "galena",
        "garnet", "geode", "glacier", "gneiss", "granite", "gravel", "gypsum", "jade", "jasper", "karst", "lava",
        "limestone", "loam", "loess", "magma", "marble", "marl", "mesa", "mica", "obsidian", "onyx", "opal",
        "pebble", "pumice", "pyrite", "quartz", "reef", "ridge", "sandstone", "schist", "shale", "silt", "slate",
        "spinel", "strata", "talc", "topaz", "tuff", "zircon",
    ]

    /// A new name; from the fourth attempt on with a number, so that attempts end.
    static func name(attempt: Int) -> String {
        let adjective = adjectives.randomElement() ?? "plain"
        let noun = nouns.randomElement() ?? "slate"
        return "\(adjective)_\(noun)" + (attempt < 3 ? "" : "\(UInt32.random(in: 1...999_999))")
    }

    /// Whether a user may give a sandbox this name: Docker's rule, `[a-zA-Z0-9][a-zA-Z0-9_.-]+`.
    static func isValid(_ name: String) -> Bool {
        func isAlphanumeric(_ byte: UInt8) -> Bool {
            switch byte {
            case 0x30...0x39, 0x41...0x5A, 0x61...0x7A: true
            default: false
            }
        }
        guard let first = name.utf8.first, isAlphanumeric(first), (2...128).contains(name.utf8.count) else {
            return false
        }
        return name.utf8.allSatisfy { isAlphanumeric($0) || [0x5F, 0x2E, 0x2D].contains($0) }
    }
}
