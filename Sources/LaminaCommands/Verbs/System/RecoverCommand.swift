// `lamina recover`: puts a store in order after a power cut or a kill.

import ArgumentParser
import LaminaEngine

/// `lamina recover`
struct RecoverCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "recover", abstract: "Clear away mounts whose server has died, and unfinished work.",
        discussion: "What is in the sandboxes stays. Prints the name of each sandbox that was cleared away.")

    @OptionGroup var global: GlobalOptions

    @Flag(help: "Mount the sandboxes again where they were.")
    var remount = false

    func run() throws {
        let report = try global.engine().recover(remount: remount)
        for sandbox in report.unmounted { print("\(remount ? "Remounted" : "Unmounted"): \(sandbox.name)") }
        if report.leftovers > 0 { print("Removed leftovers: \(report.leftovers)") }
        guard let failed = report.failed.first else { return }
        throw LaminaError(.failure, failed.name, failed.reason)
    }
}
