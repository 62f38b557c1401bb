import LaminaCore
import LaminaTestSupport
import Testing

/// What a shell prints of a whole tree: names, attributes, times, links, xattrs and digests of bytes.
enum TreeListing {
    /// Inode numbers say which names are one file; the first name stands for it.
    static let script = #"""
        find . -printf '%P|%y|%m|%U|%G|%s|%l|%T@|%i\n' | LC_ALL=C sort \
        | awk -F'|' 'BEGIN{OFS="|"} $2=="d"{$6=0} {if ($9 in f) $9=f[$9]; else {f[$9]=$1; $9=$1}; print}'
        find . -type f -print0 | LC_ALL=C sort -z | xargs -0r md5sum
        find . -print0 | LC_ALL=C sort -z | xargs -0r getfattr -hd -m - 2>/dev/null | { grep -v '^$' || true; }
        """#
}
