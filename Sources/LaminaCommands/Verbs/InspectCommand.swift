// `lamina inspect`: everything known of sandboxes and images, as JSON.

import ArgumentParser
import Foundation
import LaminaCore
import LaminaEngine

/// `lamina inspect`
struct InspectCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "inspect", abstract: "Print everything about sandboxes or images as a JSON array.",
        discussion: "A sandbox's id or name is tried first, then an image.")

    @OptionGroup var global: GlobalOptions

    @Argument(help: ArgumentHelp("Sandboxes or images.", valueName: "name"))
    var names: [String]

    func run() throws {
        let engine = try global.engine()
        var objects: [[String: Any]] = []
        for name in names {
            objects.append(try Self.object(name, engine))
        }
        print(Format.json(objects))
    }

    private static func object(_ name: String, _ engine: Engine) throws(LaminaError) -> [String: Any] {
        do throws(LaminaError) {
            return fields(try engine.sandbox(name), engine)
        } catch  where error.code == .notFound {
            let image: Image
            do throws(LaminaError) {
                image = try engine.image(name)
            } catch {
                guard error.code == .notFound else { throw error }
                throw LaminaError(.notFound, name, "no such sandbox or image")
            }
            return fields(image, config: try engine.config(of: image))
        }
    }

    private static func fields(
        _ sandbox: Sandbox, _ engine: Engine
    ) -> [String: Any] {
        var state: [String: Any] = [
            "Status": sandbox.state.rawValue, "Mountpoint": sandbox.mountpoint?.description ?? "",
            "ReadOnly": sandbox.readOnly, "Volatile": sandbox.isVolatile,
        ]
        // Only an addition: a sandbox whose counters cannot be read is shown all the same.
        if sandbox.state == .mounted, let statistics = try? engine.statistics(of: sandbox.id) {
            state["Requests"] = statistics.counters.total.requests
            state["Opens"] = StatisticsFields.opens(statistics.counters)
        }
        var volumes: [String: Volume] = [:]
        for redirect in sandbox.redirects where redirect.kind == .volume {
            let name = redirect.source.description
            volumes[name] = try? engine.volume(name)
        }
        return [
            "Kind": "sandbox", "Id": sandbox.id, "Name": sandbox.name, "Image": "\(sandbox.imageID)",
            "ImageName": sandbox.imageName, "ChainID": "\(sandbox.chainID)",
            "Layers": sandbox.diffIDs.map(\.description), "Created": Format.time(sandbox.created),
            "Directory": sandbox.directory.description,
            "Mounts": sandbox.redirects.map { MountFields.all($0, volumes: volumes) }, "State": state,
        ]
    }

    private static func fields(_ image: Image, config: [UInt8]) -> [String: Any] {
        let document = try? JSONSerialization.jsonObject(with: Data(config)) as? [String: Any]
        var fields: [String: Any] = [
            "Kind": "image", "Id": "\(image.id)", "RepoTags": image.references.map(ImageReference.familiar),
            "Manifests": image.manifests.map(\.description), "ChainID": "\(image.chainID)",
            "RootFS": ["Type": "layers", "Layers": image.diffIDs.map(\.description)] as [String: Any],
            "Architecture": image.architecture, "Os": image.os, "Loaded": Format.time(image.loaded),
            "DiskUsage": image.diskUsage, "ContentSize": image.contentSize,
            "UnpackedSize": image.unpackedSize,
            "Sandboxes": image.sandboxes, "Config": document?["config"] ?? [String: Any](),
        ]
        if let variant = image.variant { fields["Variant"] = variant }
        if let created = image.created { fields["Created"] = created }
        return fields
    }
}
