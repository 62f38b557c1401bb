// `lamina rmi`: names go, and an image with its last one.

import ArgumentParser
import LaminaEngine

/// `lamina rmi`
struct RemoveImageCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rmi", abstract: "Remove names of images, and images with their last name.",
        discussion: "The bytes are reclaimed by lamina prune.")

    @OptionGroup var global: GlobalOptions

    @Flag(
        name: [.short, .long],
        help: """
            Also remove an image with several names, or one that unmounted sandboxes use; they keep its \
            layers.
            """)
    var force = false

    @Argument(help: ArgumentHelp("References, ids, or starts of ids.", valueName: "image"))
    var images: [String]

    func run() throws {
        let engine = try global.engineForRemoving()
        try forEach(images) { name throws(LaminaError) in
            let removal = try engine.removeImage(name, force: force)
            for reference in removal.untagged { print("Untagged: \(ImageReference.familiar(reference))") }
            if let id = removal.deleted { print("Deleted: \(id)") }
        }
    }
}
