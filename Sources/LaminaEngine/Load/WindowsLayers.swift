// What is known of the layers of Windows images: Microsoft's `hcsshim/ociwclayer` writes a container's tree below
// `Files`, registry hives below `Hives`, and the files of its virtual machine below `UtilityVM`.

import LaminaCore

enum WindowsLayers {
    /// What a config of such an image has as its `os`.
    static let os = "windows"
    /// The directory of the layers that is a container's root.
    static let root: ByteString = "Files"
}
