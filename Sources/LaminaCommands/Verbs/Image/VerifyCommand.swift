// `lamina verify`: is what the store has of an image still what it was?

import ArgumentParser
import LaminaEngine

/// `lamina verify`
struct VerifyCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "verify", abstract: "Read images whole and compare everything with its digest.",
        discussion: "Without IMAGE all images are read.")

    @OptionGroup var global: GlobalOptions

    @Argument(help: ArgumentHelp("References, ids, or starts of ids.", valueName: "image"))
    var images: [String] = []

    func run() throws {
        let engine = try global.engine()
        let names = images.isEmpty ? try engine.images().map { "\($0.id)" } : images
        try forEach(names) { name throws(LaminaError) in
            let image = try engine.image(name)
            try engine.verify(image)
            print("Verified: \(image.references.first.map(ImageReference.familiar) ?? "\(image.id)")")
        }
    }
}
