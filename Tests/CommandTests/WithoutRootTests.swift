// What works without root: mounting through fusermount3, in a user namespace, and with ids mapped.

import Glibc
import LaminaCore
import LaminaSystem
import LaminaTestSupport
import Testing

@Suite(.enabled(if: WithoutRoot.isPossible)) struct WithoutRootTests {
    /// What whoever is root in the mount does to lower files: whiteouts, an opaque directory, a
    /// redirected one, copies of every type. `$m` is the mountpoint, `$1` how root's files are shown.
    private static let changes = """
        changes() {
            cd "$m"
            rm etc/passwd2
            is "$(stat -c %h etc/passwd)" 1
            echo more >>etc/shadow
            is "$(owner etc/shadow)" "$1:$2 640"
            is "$(tail -n 1 etc/shadow)" more
            rm -r old
            is "$(ls -d old 2>&1 | tail -c 10)" "directory"
            mkdir old
            is "$(ls old)" ""
            touch old/new
            mv home moved
            is "$(ls moved)" user
            echo text >root/new
            chmod 600 su
            chmod 4755 su
            is "$(owner su)" "$1:$1 4755"
            is "$(cat su)" su
            mv link link2
            is "$(readlink link2)" etc/passwd
            mv big etc/passwd
            is "$(stat -c '%s %a' etc/passwd)" "200000 444"
            ln etc/passwd again
            is "$(stat -c %h again)" 2
            setfattr -n user.key -v value su
            is "$(getfattr -d -m - --absolute-names su | sed 1d)" 'user.key="value"'
            no 'not permitted' setfattr -n trusted.key -v value su
            no 'not permitted' mknod tmp/null c 1 3
            no 'not permitted' mknod tmp/zero c 0 0
            mkfifo tmp/fifo
            ln -s there tmp/link
            (umask 777; echo text >tmp/closed)
            is "$(owner tmp/closed)" "$1:$1 0"
            chmod 1770 tmp
            is "$(owner tmp)" "$1:$1 1770"
            cd "$HOME"
        }

        """

    @Test func plainUser() throws {
        let user = try WithoutRoot()
        try user.expectQuiet(
            .plain,
            """
            lamina load -q -i image >/dev/null
            lamina create image --name box >/dev/null
            m=$(lamina mount box)
            same "$m"
            cd "$m"
            no 'permission denied' touch etc/new
            no 'permission denied' cat root/secret
            no 'permission denied' cat closed
            echo text >tmp/new
            is "$(owner tmp/new)" '23456:23456 644'
            (umask 777; echo text >tmp/closed)
            is "$(owner tmp/closed)" '23456:23456 0'
            no 'permission denied' cat tmp/closed
            chmod 4444 tmp/new
            is "$(owner tmp/new)" '23456:23456 4444'
            no 'permission denied' tee -a tmp/new
            no 'not permitted' chown 5 tmp/new
            no 'not permitted' mknod tmp/null c 1 3
            mkdir tmp/directory
            mv tmp/new tmp/directory/
            chmod 0 tmp/directory
            no 'permission denied' ls tmp/directory
            chmod 700 tmp/directory
            ln tmp/directory/new tmp/linked
            rm tmp/closed
            ln -s there tmp/link
            mkfifo tmp/fifo
            is "$(getfattr -d -m - tmp/linked)" ''
            no 'not supported' setfattr -n user.containers.override_stat -v 0:0:0777 tmp/directory
            cd
            before=$(names "$m")
            lamina umount box
            is "$(find . ! -user lamina-test ! -path './image*' ! -path ./layer.tar)" ''
            is "$(find data .local/share/lamina/sandboxes/*/upper -perm /7000 2>/dev/null)" ''
            m=$(lamina mount box)
            is "$(names "$m")" "$before"
            no 'in use' bash -c "cd '$m' && exec \\"$LAMINA\\" umount box"
            lamina rm --force box >/dev/null
            is "$(find .local/share/lamina/sandboxes -mindepth 1)" ''
            echo end
            """)
    }

    /// Who is shown as the image's root may do in it what root does.
    @Test func plainUserAsTheImagesRoot() throws {
        let user = try WithoutRoot()
        try user.expectQuiet(
            .plain,
            Self.changes + """
                maps=(--uidmap 0:23456:1 --gidmap 0:23456:1)
                lamina load -q -i image >/dev/null
                lamina create image --name box >/dev/null
                m=$(lamina mount "${maps[@]}" box)
                same "$m" "${maps[@]}"
                changes 23456 65534
                before=$(names "$m" | grep -v ' l ' | grep -v ' p ')
                lamina umount box
                is "$(find . ! -user lamina-test ! -path './image*' ! -path ./layer.tar)" ''
                m=$(lamina mount "${maps[@]}" box)
                is "$(names "$m" | grep -v ' l ' | grep -v ' p ')" "$before"
                is "$(owner "$m/link2")" '23456:23456 777'
                lamina umount box
                m=$(lamina mount box)
                is "$(owner "$m/su")" '0:0 4755'
                is "$(owner "$m/link2")" '23456:23456 777'
                is "$(owner "$m/etc/shadow")" '0:42 640'
                lamina rm --force box >/dev/null
                echo end
                """)
    }

    @Test func rootOfAUserNamespace() throws {
        let user = try WithoutRoot()
        try user.expectQuiet(
            .namespaceRoot,
            Self.changes + """
                lamina load -q -i image >/dev/null
                lamina create image --name box >/dev/null
                m=$(lamina mount box)
                same "$m" --uidmap 0:0:65537 --gidmap 0:0:65537
                changes 0 42
                cd "$m"
                touch tmp/given
                chown 5:6 tmp/given
                is "$(owner tmp/given)" '5:6 644'
                no 'invalid argument' chown 70000 tmp/given
                no 'too large' chmod 600 far
                chown 7 moved/user/file
                cd
                before=$(names "$m" | grep -v ' l ' | grep -v ' p ')
                lamina umount box
                m=$(lamina mount box)
                is "$(names "$m" | grep -v ' l ' | grep -v ' p ')" "$before"
                lamina umount box
                echo end
                """)
        // Outside, the files belong to the user and to his subordinate ids.
        let run = try CommandRun.run(
            "/usr/bin/find",
            [
                "\(user.home.path)/.local/share/lamina/sandboxes", "-name", "given", "-printf", "%U:%G\n",
                "-o",
                "-name", "su", "-printf", "%U:%G\n",
            ])
        #expect(run.lines.sorted() == ["23456:23456", "300004:300005"], "\(run)")
        // He cannot remove these himself.
        try user.expectQuiet(
            .plain,
            """
            no 'ids of a user namespace; run lamina prune' lamina rm box
            is "$(lamina ps -aq)" ''
            echo end
            """)
        try user.expectQuiet(
            .namespaceRoot,
            """
            lamina prune >/dev/null
            is "$(ls .local/share/lamina/ingest)" ''
            echo end
            """)
    }

    /// The same sandbox, by the same user outside of a namespace and inside of one.
    @Test func fromAPlainUserIntoANamespace() throws {
        let user = try WithoutRoot()
        try user.expectQuiet(
            .plain,
            """
            lamina load -q -i image >/dev/null
            lamina create image --name box >/dev/null
            m=$(lamina mount --uidmap 0:23456:1 --gidmap 0:23456:1 box)
            chmod 4711 "$m/su"
            lamina umount box
            echo end
            """)
        try user.expectQuiet(
            .namespaceRoot,
            """
            m=$(lamina mount box)
            is "$(owner "$m/su")" '0:0 4711'
            chown 5 "$m/su"
            is "$(owner "$m/su")" '5:0 711'
            lamina umount box
            m=$(lamina mount box)
            is "$(owner "$m/su")" '5:0 711'
            lamina umount box
            echo end
            """)
    }

    /// A mounted sandbox gives the layer that it gives unmounted, to a plain user too, with files that are read by their
    /// names because there are too many.
    @Test func commitsMounted() throws {
        let user = try WithoutRoot()
        for (kind, maps) in [
            (WithoutRoot.User.plain, "--uidmap 0:23456:1 --gidmap 0:23456:1"), (.namespaceRoot, ""),
        ] {
            try user.expectQuiet(
                kind,
                """
                export LAMINA_ROOT=$PWD/store-\(kind)
                lamina load -q -i image >/dev/null
                lamina create image --name box >/dev/null
                m=$(lamina mount \(maps) box)
                mkdir "$m/new"; for n in {1..50}; do echo $n > "$m/new/$n"; done
                echo more >> "$m/etc/passwd"; chmod 600 "$m/big"; mv "$m/old" "$m/new/old"; rm "$m/su"
                lamina commit box made:live >/dev/null
                no 'too many open files' bash -c 'ulimit -n 60; exec "$LAMINA" commit box'
                lamina export -o live.tar box
                lamina umount box
                lamina commit box made:later >/dev/null
                lamina export -o later.tar box
                layers='{{join .RootFS.Layers " "}}'
                is "$(lamina inspect -f "$layers" made:live)" "$(lamina inspect -f "$layers" made:later)"
                cmp live.tar later.tar
                echo end
                """)
        }
    }

    @Test func saysWhatIsMissing() throws {
        let user = try WithoutRoot()
        try user.expectQuiet(
            .withoutFusermount,
            """
            lamina load -q -i image >/dev/null
            lamina create image --name box >/dev/null
            no 'fusermount3: not found.*package fuse3' lamina mount box
            is "$(lamina ps -q)" ''
            echo end
            """)
        try user.expectQuiet(
            .plain,
            """
            mkdir closed && chmod 555 closed
            no 'write permission\\|permission denied\\|no write access' lamina mount box "$HOME/closed"
            is "$(lamina ps -q)" ''
            # A user namespace without a mount namespace of its own.
            no 'unshare --user --mount' unshare --user --map-root-user "$LAMINA" mount box
            is "$(lamina ps -q)" ''
            echo end
            """)
    }

    /// A volume is filled and written as who mounts it; binds show the user's own files as his.
    @Test(arguments: [WithoutRoot.User.plain, .namespaceRoot]) func redirects(_ who: WithoutRoot.User) throws
    {
        let user = try WithoutRoot()
        try user.expectQuiet(
            who,
            """
            lamina load -q -i image >/dev/null
            mkdir host
            echo mine >host/file
            lamina create image --name box -v data:/home -v "$PWD/host:/srv/host" -v "$PWD/host/file:/etc/passwd:ro" \\
                >/dev/null
            no 'data cached' lamina mount --data cached box
            m=$(lamina mount --uidmap "0:$(id -u):1" --gidmap "0:$(id -g):1" box)
            [ "$(id -u)" != 0 ] || { lamina umount box; m=$(lamina mount box); }
            is "$(cat "$m/srv/host/file" "$m/etc/passwd")" $'mine\\nmine'
            is "$(owner "$m/srv/host/file")" "$(id -u):$(id -g) 644"
            is "$(ls "$m/home/user" 2>&1)" file
            echo new >"$m/srv/host/new"
            is "$(cat host/new)" new
            no 'read-only' tee "$m/etc/passwd"
            rm "$m/srv/host/new"
            mkdir "$m/home/made"
            is "$(owner "$m/home/made")" "$(id -u):$(id -g) 755"
            lamina redirect rm box /srv/host
            is "$(ls "$m/srv/host")" ""
            lamina redirect add box -v "$PWD/host:/srv/host"
            is "$(cat "$m/srv/host/file")" mine
            lamina umount box
            lamina create image --name memory --mount type=tmpfs,dst=/tmp >/dev/null
            if [ "$(id -u)" != 0 ]; then
                no 'cannot make a tmpfs' lamina mount memory
            else
                m=$(lamina mount memory)
                echo text >"$m/tmp/new"
                is "$(cat "$m/tmp/new")" text
                lamina umount memory
            fi
            echo end
            """)
    }
}
