import LaminaCore
import LaminaEngine
import Testing

/// `--mount`, each string with what it means or the exact error.
@Suite struct MountSyntaxTests {
    @Test(arguments: [
        ("type=bind,src=/source,dst=/target", "bind /source /target"),
        ("type=bind,source=/source,target=/target", "bind /source /target"),
        ("type=bind,source=/source,destination=/target", "bind /source /target"),
        (" type=bind,source=/source,target=/target\n", "bind /source /target"),
        ("TYPE=BIND,Source=/Source,TARGET=/Target,ReadOnly", "bind /Source /Target ro"),
        ("type=bind,src=.,dst=/t", "bind /home/me /t"),
        ("type=bind,src=../x/,dst=/t", "bind /home/x /t"),
        ("type=bind,src=/a/../b,dst=/t/.", "bind /b /t"),
        ("type=bind,src=/a,dst=/t,readonly", "bind /a /t ro"),
        ("type=bind,src=/a,dst=/t,readonly=true", "bind /a /t ro"),
        ("type=bind,src=/a,dst=/t,ro=1", "bind /a /t ro"),
        ("type=bind,src=/a,dst=/t,ro=0", "bind /a /t"),
        ("type=bind,src=/a,dst=/t,ro,readonly=false", "bind /a /t"),
        ("type=bind,src=/a,dst=/t,bind-create-src", "bind /a /t create"),
        ("type=bind,src=/a,dst=/t,bind-create-src=false", "bind /a /t"),
        ("type=bind,src=/a,dst=/t,bind-recursive=disabled", "bind /a /t"),
        ("type=bind,src=/a,dst=/t,consistency=consistent", "bind /a /t consistent"),
        ("type=bind,src=/a,dst=/t,consistency=CACHED", "bind /a /t"),
        ("type=bind,src=/a,dst=/t,consistency=default", "bind /a /t"),
        ("type=volume,src=data,dst=/t", "volume data /t"),
        ("src=data,dst=/t", "volume data /t"),
        ("target=/t", "volume * /t"),
        ("type=volume,dst=/t", "volume * /t"),
        ("type=volume,src=data,dst=/t,volume-nocopy", "volume data /t nocopy"),
        ("type=volume,src=data,dst=/t,volume-nocopy=0", "volume data /t"),
        ("type=volume,src=data,dst=/t,volume-subpath=a/b", "volume data /t subpath=a/b"),
        ("type=volume,src=data,dst=/t,volume-subpath=a/../b", "volume data /t subpath=a/../b"),
        ("type=volume,src=data,dst=/t,volume-label=k=v", "volume data /t label:k=v"),
        (
            "type=volume,dst=/t,volume-label=foo=,volume-label=bar,volume-label=k=a=b",
            "volume * /t label:bar= label:foo= label:k=a=b"
        ),
        ("type=volume,src=data,dst=/t,volume-driver=local", "volume data /t"),
        ("type=volume,src=data,dst=/t,consistency=consistent", "volume data /t consistent"),
        ("type=tmpfs,dst=/t", "tmpfs /t"),
        ("type=tmpfs,dst=/t,ro", "tmpfs /t ro"),
        ("type=tmpfs,dst=/t,tmpfs-size=1m", "tmpfs /t size=1048576"),
        ("type=tmpfs,dst=/t,tmpfs-size=1.5GiB,tmpfs-mode=1700", "tmpfs /t size=1610612736 mode=1700"),
        ("type=tmpfs,dst=/t,tmpfs-size=10 kb", "tmpfs /t size=10240"),
        ("type=tmpfs,dst=/t,tmpfs-size=0,tmpfs-mode=0", "tmpfs /t"),
        ("type=tmpfs,dst=/t,tmpfs-size=100b", "tmpfs /t size=100"),
        ("type=image,src=alpine:3,dst=/t", "image alpine:3 /t ro"),
        ("type=image,src=alpine,dst=/t,image-subpath=etc", "image alpine /t subpath=etc ro"),
        ("type=bind,\"src=/a,b\",dst=/t", "bind /a,b /t"),
        ("\"type=bind\",\"src=/a \"\"quoted\"\"\",dst=/t", "bind /a \"quoted\" /t"),
        ("type=bind,\"src=/a\nb\",dst=/t", "bind /a\\x0ab /t"),
        ("type=bind,src=/a=b,dst=/t=", "bind /a=b /t="),
    ])
    func means(_ text: String, _ meaning: String) {
        #expect(Meaning.ofMount(text) == meaning)
    }

    @Test(arguments: [
        ("", "value is empty"),
        ("  ", "value is empty"),
        ("type=volume,target=/foo,bogus=foo", "unknown option 'bogus' in 'bogus=foo'"),
        ("type=volume,target=/foo,volume-bogus=foo", "unknown option 'volume-bogus' in 'volume-bogus=foo'"),
        ("type=volume,target=/foo,bogus", "invalid field 'bogus' must be a key=value pair"),
        ("type=volume,target=/foo,", "invalid field '' must be a key=value pair"),
        ("type=volume,target", "invalid field 'target' must be a key=value pair"),
        (
            "type=volume, src=/foo,target=/foo",
            "invalid option 'src' in ' src=/foo': option should not have whitespace"
        ),
        (
            "type=volume,src =/foo,target=/foo",
            "invalid option 'src' in 'src =/foo': option should not have whitespace"
        ),
        ("type=volume,src=,target=/foo", "invalid value for 'src': value is empty"),
        ("type=volume,src= ,target=/foo", "invalid value for 'src': value is empty"),
        (
            "type=volume,src= /foo,target=/foo",
            "invalid value for 'src' in 'src= /foo': value should not have whitespace"
        ),
        (
            "type=bind,target=/foo,source=/foo,readonly=no",
            "invalid value for 'readonly': invalid boolean value (\"no\"): must be one of \"true\", \"1\", "
                + "\"false\", or \"0\" (default \"true\")"
        ),
        ("type=tmpfs,target=/foo,tmpfs-size=foo", "invalid value for tmpfs-size: foo"),
        ("type=tmpfs,target=/foo,tmpfs-size=1kbb", "invalid value for tmpfs-size: 1kbb"),
        ("type=tmpfs,target=/foo,tmpfs-size=-1m", "invalid value for tmpfs-size: -1m"),
        ("type=tmpfs,target=/foo,tmpfs-size=1e30", "invalid value for tmpfs-size: 1e30"),
        ("type=tmpfs,target=/foo,tmpfs-mode=foo", "invalid value for tmpfs-mode: foo"),
        ("type=tmpfs,target=/foo,tmpfs-mode=0888", "invalid value for tmpfs-mode: 0888"),
        ("type=tmpfs,target=/foo,tmpfs-mode=10000", "invalid value for tmpfs-mode: 10000"),
        ("type=tmpfs,target=/foo,tmpfs-mode=+7", "invalid value for tmpfs-mode: +7"),
        (
            "type=volume,target=/foo,source=/foo,bind-create-src",
            "cannot mix 'bind-*' options with mount type 'volume'"
        ),
        (
            "type=bind,target=/foo,source=/foo,volume-nocopy=true",
            "cannot mix 'volume-*' options with mount type 'bind'"
        ),
        ("type=tmpfs,target=/foo,image-subpath=a", "cannot mix 'image-*' options with mount type 'tmpfs'"),
        ("type=image,target=/foo,src=a,tmpfs-mode=7", "cannot mix 'tmpfs-*' options with mount type 'image'"),
        ("type=bind,src=a\"b,dst=/t", "parse error on line 1, column 16: bare \" in non-quoted field"),
        (
            "type=bind,\"src=/a\"b,dst=/t",
            "parse error on line 1, column 18: extraneous or missing \" in quoted-field"
        ),
        (
            "type=bind,\"src=/a",
            "parse error on line 1, column 18: extraneous or missing \" in quoted-field"
        ),
        ("type=bind\n,src=/a,dst=/t", "a line break must stand in quotes"),
    ])
    func refuses(_ text: String, _ reason: String) {
        #expect(Meaning.ofMount(text) == "--mount \(ByteString(text)): \(reason)")
    }

    @Test(arguments: [
        ("type=bind,source=/foo", "bind", "field Target must not be empty"),
        ("type=bind,source=/foo,target=/", "bind", "invalid specification: destination can't be '/'"),
        ("type=bind,source=/foo,target=/..", "bind", "invalid specification: destination can't be '/'"),
        ("type=bind,source=/foo,target=foo", "bind", "invalid mount path: 'foo' mount path must be absolute"),
        ("type=bind,target=/foo", "bind", "field Source must not be empty"),
        ("type=bind,src=foo,target=/foo", "bind", "invalid mount path: 'foo' mount path must be absolute"),
        ("type=tmpfs,src=foo,dst=/foo", "tmpfs", "field Source must not be specified"),
        (
            "type=bind,source=/foo,target=a/..", "bind",
            "invalid mount path: 'a/..' mount path must be absolute"
        ),
        ("type=image,dst=/foo", "image", "field Source must not be empty"),
        (
            "type=image,src=a,dst=/foo,image-subpath=../x", "image",
            "subpath must be a relative path within the volume"
        ),
        (
            "type=volume,dst=/foo,volume-subpath=a", "volume",
            "must not set Subpath when using anonymous volumes"
        ),
        (
            "src=data,dst=/foo,volume-subpath=/a", "volume",
            "subpath must be a relative path within the volume"
        ),
        (
            "src=data,dst=/foo,volume-subpath=a/../../b", "volume",
            "subpath must be a relative path within the volume"
        ),
        ("type=npipe,src=a,dst=/foo", "npipe", "mount type unknown"),
        ("type=cluster,src=a,dst=/foo", "cluster", "mount type unknown"),
        ("type=foo", "foo", "field Target must not be empty"),
    ])
    func refusesConfigurations(_ text: String, _ type: String, _ reason: String) {
        #expect(
            Meaning.ofMount(text) == "--mount \(text): invalid mount config for type \"\(type)\": \(reason)")
    }

    /// What Docker takes, or takes and ignores, and Lamina has no meaning for.
    @Test(arguments: [
        (
            "type=bind,src=/a,dst=/b,bind-propagation=rprivate",
            "option 'bind-propagation' is not supported: mounts do not propagate through a redirect"
        ),
        (
            "type=bind,src=/a,dst=/b,bind-nonrecursive",
            "bind-nonrecursive is deprecated, use bind-recursive=disabled instead"
        ),
        (
            "type=bind,src=/a,dst=/b,bind-recursive=enabled",
            "option 'bind-recursive=enabled' is not supported: a redirect is one tree: what is mounted beneath is "
                + "not shown"
        ),
        (
            "type=bind,src=/a,dst=/b,ro,bind-recursive=readonly",
            "option 'bind-recursive=readonly' is not supported: a redirect is one tree: what is mounted beneath "
                + "is not shown"
        ),
        (
            "type=bind,src=/a,dst=/b,bind-recursive=foo",
            "invalid value for bind-recursive: foo (must be \"enabled\", \"disabled\", \"writable\", or "
                + "\"readonly\")"
        ),
        (
            "type=bind,src=/a,dst=/b,consistency=delegated",
            "option 'consistency=delegated' is not supported: writes are never held back; use cached or "
                + "consistent"
        ),
        (
            "type=bind,src=/a,dst=/b,consistency=foo",
            "invalid value for consistency: foo (must be \"default\", \"cached\", or \"consistent\")"
        ),
        (
            "type=tmpfs,dst=/b,consistency=cached",
            "option 'consistency' is not supported: nobody else changes a mount of type 'tmpfs'"
        ),
        ("src=data,dst=/b,volume-driver=nfs", "volume driver \"nfs\" is not supported, only \"local\""),
        (
            "src=data,dst=/b,volume-opt=type=nfs",
            "option 'type' is not supported: a volume is a directory of the store, and mounts nothing"
        ),
        (
            "src=data,dst=/b,volume-opt=size=1g",
            "option 'size' is not supported: nothing here could enforce it: Lamina sets no quotas of the "
                + "filesystem"
        ),
        ("src=data,dst=/b,volume-opt=size=x", "invalid size: 'x'"),
        ("src=data,dst=/b,volume-opt=foo=x", "invalid option: \"foo\""),
        ("src=data,dst=/b,volume-label==v", "invalid value for 'volume-label': '=v' has no name"),
        (
            "src=/data,dst=/b",
            "\"/data\" includes invalid characters for a local volume name, only \"[a-zA-Z0-9][a-zA-Z0-9_.-]\" "
                + "are allowed. If you intended to pass a host directory, use absolute path"
        ),
    ])
    func namesWhatItDoesNotSupport(_ text: String, _ reason: String) {
        #expect(Meaning.ofMount(text) == "--mount \(text): \(reason)")
    }
}
