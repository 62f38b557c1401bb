/// Programs of containers that are committed while they run, and what checks the trees. In Perl, which every Debian
/// has, and which needs nothing but itself for this.
enum ContainerScripts {
    /// What a shell of this machine lacks to install a package of its own and to run the writer.
    static let tools =
        "perl dpkg dpkg-deb dpkg-split dpkg-query tar diff find ldconfig start-stop-daemon mkdir touch"

    /// Writes without end below /w and into /big, so that at each instant what `checker` wants holds.
    static let writer = #"""
        my $n = 0; my $files = 60;
        sub put { my ($path, $text) = @_; open my $f, ">", $path or die "$path: $!"; syswrite $f, $text; close $f }
        mkdir "/w"; mkdir "/w/$_" for qw(a b dirs);
        put("/w/a/f$_", "content $_\n" x 100) for 0 .. $files - 1;
        open my $log, ">>", "/w/log" or die; open my $big, "+<", "/big" or die "big: $!"; binmode $big;
        my $sync = $ENV{SYNC};
        put("/w/synced.new", "0\n"); rename "/w/synced.new", "/w/synced"; put("/w/ready", "");
        while (1) {
            # Moves files between two directories, there and back.
            my $i = $n % $files; my ($from, $to) = int($n / $files) % 2 ? qw(b a) : qw(a b);
            rename "/w/$from/f$i", "/w/$to/f$i" or die "rename f$i: $!";
            # A log, and a file that says how much of it is surely there.
            syswrite $log, "record $n\n";
            if ($n % 20 == 0) {
                syscall($sync, fileno $log) == 0 or die "fsync: $!";
                put("/w/synced.new", "$n\n"); rename "/w/synced.new", "/w/synced" or die;
            }
            # A whole tree comes and goes by one rename.
            my $d = "/w/tmp-$n"; mkdir $d; mkdir "$d/x"; put("$d/x/$_", "tree $n\n" x 50) for 1 .. 3;
            symlink "x/1", "$d/link"; link "$d/x/2", "$d/second"; rename $d, "/w/dirs/$n" or die;
            if ($n >= 10) {
                my $old = $n - 10; rename "/w/dirs/$old", "/w/gone-$old" or die;
                unlink "/w/gone-$old/x/$_" for 1 .. 3; unlink "/w/gone-$old/$_" for qw(link second);
                rmdir "/w/gone-$old/x"; rmdir "/w/gone-$old" or die "rmdir: $!";
            }
            # A few blocks of a large file of the image.
            my $block = ($n * 7919) % 768; sysseek $big, $block * 4096, 0;
            syswrite $big, pack("Q<", 0xB10C000000000000 + $block) x 512;
            $n++;
        }
        """#

    /// Says what is wrong with the tree at the first argument; nothing when all is right.
    static let checker = #"""
        use strict; my ($root, $files) = (shift, 60); my @wrong; chdir $root or die "$root: $!";
        sub get { my ($path) = @_; open my $f, "<", $path or return undef; binmode $f; local $/; my $t = <$f>; defined $t ? $t : "" }
        sub names { my ($path) = @_; opendir my $d, $path or return (); grep { !/^\.\.?$/ } readdir $d }
        my %seen; for my $dir (qw(a b)) { $seen{$_} .= $dir for names("w/$dir") }
        for my $i (0 .. $files - 1) {
            my $where = delete $seen{"f$i"}; push @wrong, "f$i is in '$where'" unless $where =~ /^[ab]$/;
            push @wrong, "f$i holds other bytes" unless get("w/$where/f$i") eq "content $i\n" x 100;
        }
        push @wrong, "there is also: " . join " ", %seen if %seen;
        my $synced = get("w/synced") + 0; my $log = get("w/log"); my $n = 0;
        for my $line (split /\n/, $log, -1) {
            last if $n * 9 > length $log; last if $line eq ""; 
            if ($line ne "record $n") { push @wrong, "log line $n is '$line'" if substr("record $n", 0, length $line) ne $line; last }
            $n++;
        }
        push @wrong, "the log has $n records, synced were $synced" if $n <= $synced && $log ne "";
        for my $tree (names("w/dirs")) {
            my $d = "w/dirs/$tree";
            for my $i (1 .. 3) { push @wrong, "$d/x/$i" unless get("$d/x/$i") eq "tree $tree\n" x 50 }
            push @wrong, "$d has other names" unless "link second x" eq join " ", sort(names($d));
            push @wrong, "$d/link" unless readlink("$d/link") eq "x/1";
            push @wrong, "$d/second is no link" unless (stat "$d/second")[1] == (stat "$d/x/2")[1];
        }
        push @wrong, "no trees" unless names("w/dirs") >= 10 or $synced < 40;
        my $big = get("big"); push @wrong, "big has " . length($big) . " bytes" unless length $big == 768 * 4096;
        for my $block (0 .. 767) {
            my ($own, $old) = (pack("Q<", 0xB10C000000000000 + $block), "image678");
            my %words = map { $_ => 1 } unpack "(a8)*", substr $big, $block * 4096, 4096; delete @words{$own, $old};
            push @wrong, "block $block of big holds other bytes" if %words;
        }
        for my $name (qw(bin/tool usr/share/tool/data var/lib/dpkg/info/tool.list)) {
            push @wrong, "$name is missing" unless -s $name;
        }
        push @wrong, "dpkg does not know the package" unless get("var/lib/dpkg/status") =~ /^Package: tool\nStatus: install ok installed$/m;
        print "$_\n" for @wrong; print "records $n\n" if !@wrong;
        """#

    /// Two large files, always written in the same order.
    static let orderedWriter = #"""
        my @files; my $zero = "\0" x 4096;
        for my $name (qw(/one /two)) {
            open my $f, "+>", $name or die; binmode $f; syswrite $f, $zero for 1 .. 512; push @files, $f;
        }
        open my $r, ">", "/ready" or die; close $r;
        for (my $n = 1; ; $n++) {
            for my $place (0 .. 99) { for my $f (@files) { sysseek $f, $place * 16384, 0; syswrite $f, pack("Q<", $n) } }
        }
        """#

    /// Prints the numbers in the order of their writing: an instant shows n … n, n - 1 … n - 1.
    static let orderedReader = #"""
        my @files;
        for my $name (qw(/one /two)) { open my $f, "<", $name or die; binmode $f; push @files, $f }
        my @all;
        for my $place (0 .. 99) {
            for my $f (@files) { sysseek $f, $place * 16384, 0; sysread $f, my $b, 8; push @all, unpack "Q<", $b }
        }
        my ($first, $last) = @all[0, -1]; my $sorted = join(" ", @all) eq join(" ", sort { $b <=> $a } @all);
        print $first > 0 && $sorted && $first - $last <= 1 ? "one instant\n" : "several: @all\n";
        """#
}
