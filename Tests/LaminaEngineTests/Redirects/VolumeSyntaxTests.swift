import LaminaCore
import LaminaEngine
import Testing

/// `-v`, each string with what it means or the exact error. Among them are the strings of moby's
/// `TestLinuxParseMountRaw` and of docker/cli's `volumespec_test.go`, but for those about Windows.
@Suite struct VolumeSyntaxTests {
    @Test(arguments: [
        ("/data", "volume * /data yields"),
        ("/a", "volume * /a yields"),
        ("/with space", "volume * /with space yields"),
        ("/a/./b//c/../d/", "volume * /a/b/d yields"),
        ("data:/data", "volume data /data"),
        ("data:/data:rw", "volume data /data"),
        ("data:/data:ro", "volume data /data ro"),
        ("data:/data:nocopy", "volume data /data nocopy"),
        ("data:/data:ro,nocopy", "volume data /data ro nocopy"),
        ("data:/data:nocopy,rw", "volume data /data nocopy"),
        ("a1_.-B:/x", "volume a1_.-B /x"),
        ("relative:/absolute-path", "volume relative /absolute-path"),
        ("hostPath:/containerPath:ro", "volume hostPath /containerPath ro"),
        ("name:/named1", "volume name /named1"),
        ("name:/target:nocopy", "volume name /target nocopy"),
        ("/path", "volume * /path yields"),
        ("/path/foo", "volume * /path/foo yields"),
        ("/home", "volume * /home yields"),
        ("/home:/something/else", "bind /home /something/else create"),
        ("./foo:/target", "bind /home/me/foo /target create"),
        ("../other:/target", "bind /home/other /target create"),
        ("/foo:/target", "bind /foo /target create"),
        ("/home/user:/target", "bind /home/user /target create"),
        ("/hostPath:/containerPath:rw", "bind /hostPath /containerPath create"),
        ("/home:/home", "bind /home /home create"),
        ("/home:/with space", "bind /home /with space create"),
        ("/rw:/ro", "bind /rw /ro create"),
        ("/host:/container:ro", "bind /host /container ro create"),
        ("/host:/container:rw", "bind /host /container create"),
        ("/host:/container:consistent", "bind /host /container consistent create"),
        ("/host:/container:cached,ro", "bind /host /container ro create"),
        ("/host/../etc/./hosts:/etc/hosts", "bind /etc/hosts /etc/hosts create"),
        ("/:/host", "bind / /host create"),
        (".:/src", "bind /home/me /src create"),
        ("./src/:/src", "bind /home/me/src /src create"),
        ("..:/src", "bind /home /src create"),
        ("../../../..:/src", "bind / /src create"),
        (".hidden:/src", "bind /home/me/.hidden /src create"),
        ("/a:/b\"c,d", "bind /a /b\"c,d create"),
        ("/ä:/ö", "bind /ä /ö create"),
    ])
    func means(_ text: String, _ meaning: String) {
        #expect(Meaning.ofVolume(text) == meaning)
    }

    @Test(arguments: [
        ("", "invalid empty volume spec"),
        (":", "invalid spec: :: empty section between colons"),
        ("::", "invalid spec: ::: empty section between colons"),
        ("/tmp:", "invalid spec: /tmp:: empty section between colons"),
        ("tmp:", "invalid spec: tmp:: empty section between colons"),
        (":/test", "invalid spec: :/test: empty section between colons"),
        (":test:", "invalid spec: :test:: empty section between colons"),
        (":::", "invalid spec: :::: empty section between colons"),
        (":/tmp::", "invalid spec: :/tmp::: empty section between colons"),
        (":foo", "invalid spec: :foo: empty section between colons"),
        ("/tmp:::", "invalid spec: /tmp:::: empty section between colons"),
        ("/foo::ro", "invalid spec: /foo::ro: empty section between colons"),
        ("/foo:/foo:", "invalid spec: /foo:/foo:: empty section between colons"),
        ("/foo:/foo:ro:foo", "invalid spec: /foo:/foo:ro:foo: too many colons"),
        ("/path:ro", "invalid volume specification: '/path:ro'"),
        ("/path:ro,z", "invalid volume specification: '/path:ro,z'"),
        ("path:shared", "invalid volume specification: 'path:shared'"),
        ("/path:rw", "invalid volume specification: '/path:rw'"),
        ("/rw:rw", "invalid volume specification: '/rw:rw'"),
        ("path:ro", "invalid volume specification: 'path:ro'"),
        ("/path:shared", "invalid volume specification: '/path:shared'"),
        ("/path:slave", "invalid volume specification: '/path:slave'"),
        ("/path:private", "invalid volume specification: '/path:private'"),
        ("name:/target:bogus", "invalid mode: bogus"),
        ("/path:/path:ro,z,rshared,rslave", "invalid mode: ro,z,rshared,rslave"),
        ("/path:/path:sw", "invalid mode: sw"),
        ("/path:/path:rwz", "invalid mode: rwz"),
        ("/path:/path:ro,rw", "invalid mode: ro,rw"),
        ("/path:/path:ro,ro", "invalid mode: ro,ro"),
        ("/path:/path:ro,", "invalid mode: ro,"),
        ("/path:/path:RO", "invalid mode: RO"),
        ("/path:/path:ro,rshared,rslave", "invalid mode: ro,rshared,rslave"),
        ("/path:/path:volume-nocopy", "invalid mode: volume-nocopy"),
    ])
    func refuses(_ text: String, _ reason: String) {
        #expect(Meaning.ofVolume(text) == "-v \(text): \(reason)")
    }

    @Test(arguments: [
        (".", "volume", "invalid mount path: '.' mount path must be absolute"),
        ("../", "volume", "invalid mount path: '../' mount path must be absolute"),
        ("/:path", "bind", "invalid mount path: 'path' mount path must be absolute"),
        ("./", "volume", "invalid mount path: './' mount path must be absolute"),
        ("data", "volume", "invalid mount path: 'data' mount path must be absolute"),
        ("/", "volume", "invalid specification: destination can't be '/'"),
        ("/tmp:tmp", "bind", "invalid mount path: 'tmp' mount path must be absolute"),
        ("/:../", "bind", "invalid mount path: '../' mount path must be absolute"),
        ("data:/a/..", "volume", "invalid specification: destination can't be '/'"),
        ("/data:/", "bind", "invalid specification: destination can't be '/'"),
        ("/a:/b:nocopy", "bind", "field VolumeOptions must not be specified"),
    ])
    func refusesPlaces(_ text: String, _ type: String, _ reason: String) {
        #expect(
            Meaning.ofVolume(text) == "-v \(text): invalid volume specification: '\(text)': "
                + "invalid mount config for type \"\(type)\": \(reason)")
    }

    @Test(arguments: [
        ("a:/x", "volume name is too short, names should be at least two alphanumeric characters"),
        (
            "local/name:/tmp",
            "\"local/name\" includes invalid characters for a local volume name, only \"[a-zA-Z0-9][a-zA-Z0-9_.-]\" "
                + "are allowed. If you intended to pass a host directory, use absolute path"
        ),
        (
            "~/thing:/x",
            "\"~/thing\" includes invalid characters for a local volume name, only \"[a-zA-Z0-9][a-zA-Z0-9_.-]\" "
                + "are allowed. If you intended to pass a host directory, use absolute path"
        ),
        (
            "-name:/x",
            "\"-name\" includes invalid characters for a local volume name, only \"[a-zA-Z0-9][a-zA-Z0-9_.-]\" "
                + "are allowed. If you intended to pass a host directory, use absolute path"
        ),
    ])
    func refusesNames(_ text: String, _ reason: String) {
        #expect(Meaning.ofVolume(text) == "-v \(text): \(reason)")
    }

    /// What Docker takes and Lamina has no meaning for.
    @Test(arguments: [
        ("/a:/b:z", "option 'z' is not supported: SELinux labels are not set"),
        ("/a:/b:ro,Z", "option 'Z' is not supported: SELinux labels are not set"),
        ("/a:/b:shared", "option 'shared' is not supported: mounts do not propagate through a redirect"),
        ("/a:/b:rprivate", "option 'rprivate' is not supported: mounts do not propagate through a redirect"),
        ("data:/b:rslave", "option 'rslave' is not supported: mounts do not propagate through a redirect"),
        (
            "/hostPath:/containerPath:rslave,ro,Z",
            "option 'rslave' is not supported: mounts do not propagate through a redirect"
        ),
        ("/hostPath:/containerPath:Z,slave,ro", "option 'Z' is not supported: SELinux labels are not set"),
        (
            "name:/absolute-path:private",
            "option 'private' is not supported: mounts do not propagate through a redirect"
        ),
        (
            "/source:/target:slave",
            "option 'slave' is not supported: mounts do not propagate through a redirect"
        ),
        (
            "/a:/b:delegated",
            "option 'delegated' is not supported: writes are never held back; use cached or consistent"
        ),
    ])
    func namesWhatItDoesNotSupport(_ text: String, _ reason: String) {
        #expect(Meaning.ofVolume(text) == "-v \(text): \(reason)")
    }

    @Test func keepsBytesThatAreNoText() throws {
        let path = ByteString([0x2F, 0xFF, 0xFE])
        let request = try RedirectRequest(volume: path + ":" + path, in: "/")
        #expect(request.redirect.source == path && request.redirect.target == path)
    }

    @Test func refusesPathsThatLinuxCannotName() {
        let name = String(repeating: "n", count: 256)
        let long = String(repeating: "/n", count: 2100)
        for text in ["/\(name)", "\(long)", "/\(name):/x", "\(long):/x"] {
            #expect(Meaning.ofVolume(text).hasSuffix(": path is too long"))
        }
        #expect(Meaning.ofVolume("\(name):/x").hasSuffix("volume name is longer than 255 bytes"))
    }
}
