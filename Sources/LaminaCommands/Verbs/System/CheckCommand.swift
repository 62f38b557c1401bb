// `lamina fsck`: is the store whole, and if not, what can be mended?

import ArgumentParser
import LaminaEngine

/// `lamina fsck`
struct CheckCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "fsck",
        abstract: "Compare the catalogue with what is on disk, and content with its digests.",
        discussion: """
            Prints one line for each thing that is not right, and with --repair what became of it. Layers are made \
            anew from their own tars or from blobs that are kept, indexes and chains from layers; counts are counted \
            anew. What containers wrote is never touched. May run beside other work. Ends with 1 when something is \
            wrong and was not mended.
            """)

    @OptionGroup var global: GlobalOptions

    @Flag(help: "Also read everything: digests of blobs and objects, each layer's tar, each index and chain.")
    var deep = false

    @Flag(help: "Mend what can be mended.")
    var repair = false

    func run() throws {
        var options = CheckOptions()
        options.deep = deep
        options.repair = repair
        try CheckReport.run(options, try global.engine())
    }
}

/// `lamina scrub`
struct ScrubCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "scrub", abstract: "Read the whole store slowly and name what is damaged.",
        discussion: "As fsck --deep, at no more than --rate bytes in a second, for timers.")

    @OptionGroup var global: GlobalOptions

    @Option(help: ArgumentHelp("Bytes in a second, such as 20m.", valueName: "size"))
    var rate: String = "20m"

    @Flag(help: "Mend what can be mended.")
    var repair = false

    func run() throws {
        guard let bytes = MemorySize.bytes(rate), bytes > 0 else {
            throw LaminaError(.usage, "--rate \(rate)", "is no size")
        }
        var options = CheckOptions()
        options.deep = true
        options.repair = repair
        options.rate = bytes
        try CheckReport.run(options, try global.engine())
    }
}

/// What both print.
private enum CheckReport {
    static func run(_ options: CheckOptions, _ engine: Engine) throws {
        var left = 0
        var repaired = 0
        try engine.check(options) { problem in
            var line = "\(problem.thing): \(problem.reason)"
            switch problem.outcome {
            case .found: left += 1
            case .left(let reason):
                left += 1
                line += "; not repaired: \(reason)"
            case .repaired(let how):
                repaired += 1
                line += "; repaired: \(how)"
            }
            print(Terminal.clean(line))
        }
        if left + repaired == 0 { return print("no problems") }
        if left > 0 {
            throw LaminaError(.failure, "\(engine.root)", "\(left) problems, \(repaired) repaired")
        }
        print("\(repaired) problems, all repaired")
    }
}
