import LaminaCodec
import LaminaCore
import LaminaTestSupport
import Testing

/// Where junctions and symlinks of Windows layers lead: `C:` is the root of the container.
@Suite struct WindowsLinkTests {
    private func target(_ link: String, isOfWindows: Bool = true) throws -> ByteString? {
        var tar = TarBuilder()
        if isOfWindows {
            tar.addPax([
                ("MSWINDOWS.fileattr", Array("1040".utf8)), ("MSWINDOWS.mountpoint", Array("1".utf8)),
            ])
        }
        tar.add("link", type: "2", link: link)
        tar.end()
        var parser = TarParser()
        var cursor = 0
        guard case .entry(let entry) = try parser.next(in: tar.bytes.span, at: &cursor),
            case .symlink(let target) = entry.kind
        else { return nil }
        return target
    }

    @Test(arguments: [
        ("C:\\Users", "/Users"), ("c:\\x\\y", "/x/y"), ("C:/Users", "/Users"), ("C:\\", "/"), ("C:", "/"),
        ("\\\\?\\C:\\x\\y", "/x/y"), ("\\??\\C:\\x\\", "/x/"), ("//?/C:/x", "/x"), ("\\\\.\\C:\\x", "/x"),
        ("\\x\\y", "/x/y"), ("..\\x\\y", "../x/y"), ("x", "x"), ("a b\\c", "a b/c"),
    ])
    func leadInside(_ link: String, _ expected: String) throws {
        #expect(try target(link) == ByteString(expected))
    }

    @Test(arguments: [
        "D:\\x", "\\\\?\\D:\\x", "\\\\?\\Volume{00000000-0000-0000-0000-000000000001}\\",
        "\\\\server\\share\\x",
        "C:x\\y", "\\??\\UNC\\server\\share",
    ])
    func othersStay(_ link: String) throws {
        #expect(try target(link) == ByteString(link))
    }

    /// Backslashes and colons are ordinary characters everywhere else.
    @Test func linksOfLinuxStay() throws {
        #expect(try target("C:\\x", isOfWindows: false) == "C:\\x")
    }
}
