// `lamina volume create`: name of a volume out.

import ArgumentParser
import LaminaEngine

/// `lamina volume create`
struct VolumeCreateCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "create", abstract: "Make a volume and print its name.",
        discussion: """
            Without NAME it is anonymous and gets a name of 64 digits. A volume that is there already stays as \
            it is.
            """)

    @OptionGroup var global: GlobalOptions

    @Option(name: [.short, .long], help: "Only local.")
    var driver = "local"

    @Option(help: ArgumentHelp("A label, as often as wanted.", valueName: "key=value"))
    var label: [String] = []

    @Option(
        name: [.customShort("o"), .customLong("opt")],
        help: ArgumentHelp(
            "An option of the driver. There is none yet: size needs quotas of the filesystem.",
            valueName: "key=value"))
    var options: [String] = []

    @Argument(help: "Letters, digits, '_', '.' and '-'.")
    var name: String?

    func run() throws {
        let labels = try KeyValue.labels(label)
        let volume = try global.engine().createVolume(
            name, driver: driver, labels: labels, options: KeyValue.pairs(options))
        print(volume.name)
    }
}
