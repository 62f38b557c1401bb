// The fields of a sandbox as `lamina inspect` shows them.

import LaminaEngine

enum SandboxFields {
    static func all(_ sandbox: Sandbox, _ engine: Engine) -> [String: Any] {
        var state: [String: Any] = [
            "Status": sandbox.shownState, "Running": sandbox.container != nil,
            "Pid": Int(sandbox.container?.process ?? 0), "Mountpoint": sandbox.mountpoint?.description ?? "",
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
}
