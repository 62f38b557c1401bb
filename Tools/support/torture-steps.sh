# The steps of Tools/torture, which sources this. Each gets a directory on the mount and one on ext4, reports with
# passed, failed_because or skipped, and keeps what programs say in $logs.

# --- pjdfstest

find_pjdfstest() {
    [ -z "${PJDFSTEST:-}" ] || { pjdfstest=$PJDFSTEST; return 0; }
    [ ! -x "$scratch/pjdfstest/pjdfstest" ] || return 0
    pjdfstest=$scratch/pjdfstest
    install_packages git gcc make autoconf automake libc6-dev || return 1
    timeout 60 git clone -q --depth 1 https://github.com/pjd/pjdfstest "$pjdfstest" >"$logs/pjdfstest" 2>&1 || return 1
    (cd "$pjdfstest" && autoreconf -ifs && ./configure && make pjdfstest) >>"$logs/pjdfstest" 2>&1
}

# pjdfstest_in DIR OUT: runs all in DIR; OUT gets a line "FILE NUMBER" for each assertion that does not hold.
pjdfstest_in() {
    local file name
    : >"$2" >"$2.all"
    while read -r file; do
        name=${file#"$pjdfstest/tests/"}
        (cd "$1" && timeout 600 sh "$file") >"$2.one" 2>&1 </dev/null || echo "not ok broke off" >>"$2.one"
        sed "s|^|$name: |" "$2.one" >>"$2.all"
        grep '^not ok' "$2.one" | grep -v '# TODO' | awk -v name="$name" '{ print name, $3 }' >>"$2" || true
    done < <(find "$pjdfstest/tests" -name '*.t' | sort)
}

step_pjdfstest() {
    local count new
    local out=$logs/$step_name.lamina
    find_pjdfstest || { skipped "its source cannot be fetched and built (set PJDFSTEST); see $logs/pjdfstest"; return 0; }
    pjdfstest_in "$1" "$out"
    # ext4 says the same to each place.
    [ -e "$logs/pjdfstest.ext4" ] || pjdfstest_in "$2" "$logs/pjdfstest.ext4"
    count=$(grep -cE '^[^ ]+: (not )?ok ' "$out.all")
    new=$(comm -23 <(sort "$out") <(sort "$logs/pjdfstest.ext4"))
    local text="$count assertions, $(wc -l <"$out") do not hold, $(wc -l <"$logs/pjdfstest.ext4") on ext4"
    [ -n "$new" ] || { passed "$text, none on Lamina alone"; return 0; }
    # A file whose assertions ran out of step is shown by its first ones.
    head -n 40 <<<"$new" | while read -r name number; do
        note "$name $number: $(grep -F "$name: not ok $number " "$out.all" | head -n 1 | cut -d: -f2-)"
    done
    failed_because "$text, $(wc -l <<<"$new") on Lamina alone"
}

# --- stress-ng

stressors="access acl chdir chmod chown copy-file dentry dir dirdeep dirmany dup fallocate fcntl fiemap file-ioctl
    filename flock fpunch fstat getdent handle hdd io iomix lease link locka lockf lockofd metamix mknod mmap open
    readahead rename revio seek sendfile splice symlink sync-file touch unlink utime verity xattr"

# stress_in DIR STRESSOR: stress-ng's exit code (EXIT STATUS in its manual)
stress_in() {
    local options=()
    case $2 in
    mmap) options=(--mmap-file --mmap-bytes 16M) ;;
    copy-file) options=(--copy-file-bytes 128M) ;;
    sendfile) options=(--sendfile-size 4M) ;;
    hdd | iomix | readahead | fallocate | sync-file | fiemap | revio | splice)
        options=("--$2-bytes" 16M)
        ;;
    esac
    mkdir -p "$1"
    (cd "$1" && timeout -k 10 $((seconds * 4 + 60)) stress-ng --"$2" 2 "${options[@]}" --verify --timeout "$seconds" \
        --temp-path "$1" --metrics-brief) </dev/null
}

step_stress() {
    local known name code plain_code count=0 broken=() as_on_ext4=() missing=()
    install_packages stress-ng || { skipped "no package stress-ng"; return 0; }
    known=" $(stress-ng --stressors) "
    for name in $stressors; do
        [[ $known == *" $name "* ]] || { missing+=("$name"); continue; }
        code=0 plain_code=0
        stress_in "$1" "$name" >"$logs/stress.$name" 2>&1 || code=$?
        if [ $code -ne 0 ]; then
            stress_in "$2" "$name" >"$logs/stress.$name.ext4" 2>&1 || plain_code=$?
        fi
        # 3, 4: out of some resource, or not possible here; both must be so on ext4 too.
        if [ $code -eq 0 ]; then
            count=$((count + 1))
            note "PASS $name: $(awk '/metrc|info/ && NF > 9 && $5 ~ /^[0-9]+$/ { print $5 " operations" }' "$logs/stress.$name" | tail -n 1)"
        elif [ $code -ne 1 ] && [ $code -eq $plain_code ]; then # 1: wrong options
            as_on_ext4+=("$name")
            note "as on ext4 (exit $code): $name"
        else
            broken+=("$name")
            note "FAIL $name: exit $code, on ext4 $plain_code; $(grep -m 1 fail "$logs/stress.$name" | cut -c1-200)"
        fi
    done
    local text="$count stressors of $seconds s passed, ${#as_on_ext4[@]} end as on ext4 (${as_on_ext4[*]}), not in this stress-ng: ${missing[*]:-none}"
    [ ${#broken[@]} -eq 0 ] || { failed_because "$text; FAILED: ${broken[*]}"; return 0; }
    passed "$text"
}

# --- fio

step_fio() {
    local name broken=()
    install_packages fio || { skipped "no package fio"; return 0; }
    local common=(--directory="$1" --size=48M --numjobs=2 --verify=crc32c --verify_fatal=1 --do_verify=1
        --verify_backlog=512 --randseed=7 --loops=$((seconds / 10 + 1)) --group_reporting --minimal)
    local -A jobs=(
        [mixed]="--rw=randrw --bsrange=512-128k --ioengine=psync --fsync=128"
        [direct]="--rw=randwrite --bs=4k --direct=1 --ioengine=libaio --iodepth=8"
        [mmap]="--rw=randwrite --bs=4k --ioengine=mmap"
        [overwrite]="--rw=randrw --bsrange=4k-64k --ioengine=sync --fallocate=none --end_fsync=1"
    )
    for name in "${!jobs[@]}"; do
        # It leaves files with the state of its verification in the working directory.
        # shellcheck disable=SC2086  # words
        if (cd "$logs" && fio --name="$name" ${jobs[$name]} "${common[@]}") >"$logs/fio.$name" 2>&1 </dev/null; then
            note "PASS $name"
        else
            broken+=("$name")
            note "FAIL $name: $(grep -m 1 -E 'verify|error|err=' "$logs/fio.$name" | cut -c1-200)"
        fi
        rm -rf "${1:?}"/*
    done
    [ ${#broken[@]} -eq 0 ] || { failed_because "${broken[*]}"; return 0; }
    passed "${#jobs[@]} jobs, every block as it was written"
}

# --- dbench

step_dbench() {
    install_packages dbench >"$logs/dbench.install" 2>&1 || { skipped "no package dbench"; return 0; }
    if ! dbench -D "$1" -t "$seconds" 4 >"$logs/dbench" 2>&1 </dev/null; then
        failed_because "$(tail -n 1 "$logs/dbench")"
        return 0
    fi
    passed "$(grep -m 1 Throughput "$logs/dbench")"
}

# --- git

git_work() {
    cd "$1"
    python3 - <<'PYTHON'
import os, random
random.seed(7)
for number in range(4000):
    path = f"origin/{number % 40}/{number % 7}"
    os.makedirs(path, exist_ok=True)
    with open(f"{path}/file{number}", "wb") as file:
        file.write(random.randbytes(random.choice([0, 10, 1000, 5000, 70000 if number % 50 == 0 else 300])))
PYTHON
    local git=(git -c user.name=a -c user.email=a@example.org -c gc.auto=0)
    "${git[@]}" init -q origin
    "${git[@]}" -C origin add .
    "${git[@]}" -C origin commit -qm first
    find origin -name 'file*' -not -path '*/.git/*' | awk 'NR % 3 == 0' | while read -r file; do echo more >>"$file"; done
    "${git[@]}" -C origin commit -qam second
    "${git[@]}" -C origin fsck --full --strict
    "${git[@]}" clone -q --no-hardlinks origin copy
    "${git[@]}" clone -q --local origin linked
    "${git[@]}" -C copy checkout -q HEAD~1
    "${git[@]}" -C copy checkout -q -
    "${git[@]}" -C origin gc -q --prune=now
    local place
    for place in origin copy linked; do
        "${git[@]}" -C "$place" fsck --full --strict
        [ -z "$("${git[@]}" -C "$place" status --porcelain)" ]
    done
    diff -r --exclude=.git origin copy
}

step_git() {
    install_packages git python3 || { skipped "no package git"; return 0; }
    if strict git_work "$1" >"$logs/git" 2>&1 </dev/null; then
        passed "4000 files, two commits, two clones, gc; fsck finds nothing"
    else
        failed_because "$(tail -n 3 "$logs/git" | tr '\n' ' ')"
    fi
}

# --- PostgreSQL

# $scratch/postgresql names the data directory while a server may run.
postgres() { (cd / && setpriv --reuid postgres --regid postgres --init-groups env LC_ALL=C "$@"); }
sql() { postgres "$binaries/psql" -h "$scratch/socket" -XAtq -v ON_ERROR_STOP=1 -c "$1" pgbench; }

# On a volume the configuration is the one that is bound into the mount.
start_postgresql() {
    local options="-k $scratch/socket -c listen_addresses=''"
    [ "$step_name" != postgresql-volume ] ||
        options+=" -c config_file=$mount/torture-configuration/postgresql.conf -c data_directory=$1"
    postgres "$binaries/pg_ctl" -D "$1" -w -t 120 -l "$scratch/socket/log" -o "$options" start \
        </dev/null >>"$logs/$step_name" 2>&1
}

# Every process of the server, by number: the postmaster and its children.
postgresql_processes() {
    local first
    [ -e "$scratch/postgresql" ] || return 0
    first=$(head -n 1 "$(cat "$scratch/postgresql")/postmaster.pid" 2>/dev/null) || return 0
    printf '%s\n' "$first"
    pgrep -P "$first" || true
}

# Returns when all are gone: a new server refuses to start beside them.
kill_postgresql() {
    local process processes
    processes=$(postgresql_processes)
    for process in $processes; do kill -9 "$process" 2>/dev/null || true; done
    for process in $processes; do
        timeout 60 sh -c 'while kill -0 "$1" 2>/dev/null; do sleep 0.05; done' sh "$process"
    done
}

stop_postgresql() {
    kill_postgresql || true
    rm -f "$scratch/postgresql"
}

# bind_configuration DATA: the server's configuration moves into the directory that is bound read-only.
bind_configuration() {
    install -o postgres -m 600 "$1/postgresql.conf" "$scratch/configuration/postgresql.conf"
    printf "hba_file = '%s/pg_hba.conf'\nident_file = '%s/pg_ident.conf'\nwork_mem = 5MB\n" "$1" "$1" \
        >>"$scratch/configuration/postgresql.conf"
    rm "$1/postgresql.conf"
    # What stands in a bind's way is seen within a second.
    sleep 1.5
    if (echo x >>"$mount/torture-configuration/postgresql.conf") 2>/dev/null; then
        echo "the configuration can be written to"
        return 1
    fi
}

# The mount's server goes as in a crash, unless it went before, and a new one takes its place.
remount_killed() {
    local process
    process=$(cat "$LAMINA_ROOT"/sandboxes/*/lock)
    kill -9 "$process" 2>/dev/null || true
    timeout 60 sh -c 'while kill -0 "$1" 2>/dev/null; do sleep 0.05; done' sh "$process"
    "$lamina" umount torture
    "$lamina" mount torture "$mount"
}

# The four sums that every transaction of pgbench keeps equal.
balanced() {
    [ "$(sql "SELECT count(DISTINCT s) FROM (SELECT sum(abalance) s FROM pgbench_accounts UNION ALL
        SELECT sum(bbalance) FROM pgbench_branches UNION ALL SELECT sum(tbalance) FROM pgbench_tellers UNION ALL
        SELECT coalesce(sum(delta), 0) FROM pgbench_history) sums")" = 1 ]
}

postgresql_work() {
    local round transactions=0 load
    mkdir "$scratch/socket"
    chown postgres "$scratch/socket" "$1"
    postgres "$binaries/initdb" -D "$1/data" --data-checksums
    [ "$step_name" != postgresql-volume ] || bind_configuration "$1/data"
    echo "$1/data" >"$scratch/postgresql"
    start_postgresql "$1/data"
    postgres "$binaries/createdb" -h "$scratch/socket" pgbench
    sql 'CREATE EXTENSION amcheck'
    postgres "$binaries/pgbench" -h "$scratch/socket" -i -s 5 -q pgbench
    for round in 1 2 3; do
        postgres "$binaries/pgbench" -h "$scratch/socket" -n -c 4 -j 2 -T $((seconds + 30)) pgbench &
        load=$!
        sleep "$seconds"
        # Once the mount goes first, under the server that is writing.
        [ "$step_name" != postgresql-volume ] || [ "$round" != 2 ] || kill -9 "$(cat "$LAMINA_ROOT"/sandboxes/*/lock)"
        kill_postgresql
        wait $load || true
        [ "$step_name" != postgresql-volume ] || remount_killed
        start_postgresql "$1/data"
        [ "$step_name" != postgresql-volume ] || [ "$(sql 'SHOW work_mem')" = 5MB ]
        balanced
        [ "$(sql 'SELECT count(*) FROM pgbench_history')" -gt "$transactions" ]
        transactions=$(sql 'SELECT count(*) FROM pgbench_history')
        postgres "$binaries/pg_amcheck" -h "$scratch/socket" --heapallindexed --rootdescend pgbench
        echo "round $round: $transactions transactions survived"
    done
    postgres "$binaries/pg_ctl" -D "$1/data" -m fast -w stop
    postgres "$binaries/pg_checksums" -D "$1/data" --check
    rm "$scratch/postgresql"
    echo "$transactions" >"$logs/$step_name.count"
}

step_postgresql() {
    # Without this the package makes and starts a server of its own.
    if [ ! -e /etc/postgresql-common/createcluster.conf ]; then
        mkdir -p /etc/postgresql-common
        echo 'create_main_cluster = false' >/etc/postgresql-common/createcluster.conf
    fi
    install_packages postgresql || { skipped "no package postgresql"; return 0; }
    binaries=$(find /usr/lib/postgresql -maxdepth 2 -name bin | sort -V | tail -n 1)
    rm -rf "$scratch/socket"
    : >"$logs/$step_name"
    if strict postgresql_work "$1" >>"$logs/$step_name" 2>&1 </dev/null; then
        passed "$(cat "$logs/$step_name.count") transactions over three kill -9$(
            [ "$step_name" != postgresql-volume ] || echo " of it and of the mount"); sums equal, pg_amcheck and checksums clean"
    else
        failed_because "$(tail -n 3 "$logs/$step_name" | tr '\n' ' ')"
    fi
    stop_postgresql
}

# --- SQLite

step_sqlite() {
    install_packages python3 || { skipped "no python3"; return 0; }
    if "$repository/Tools/support/torture-sqlite" "$1" "$seconds" >"$logs/sqlite" 2>&1 </dev/null; then
        passed "$(tail -n 1 "$logs/sqlite")"
    else
        failed_because "$(tail -n 1 "$logs/sqlite")"
    fi
}

# --- setuid

step_setuid() {
    local nobody=(setpriv --reuid 65534 --regid 65534 --clear-groups)
    chmod 755 "$1"
    install -m 4755 /usr/bin/id "$1/id"
    [ "$("${nobody[@]}" "$1/id" -u)" = 0 ] || { failed_because "does not run as its owner"; return 0; }
    install -m 2755 -g 1 /usr/bin/id "$1/group"
    [ "$("${nobody[@]}" "$1/group" -g)" = 1 ] || { failed_because "does not run as its group"; return 0; }
    chmod 6777 "$1/id"
    "${nobody[@]}" sh -c 'printf x >>"$1"' sh "$1/id"
    [ "$(stat -c %a "$1/id")" = 777 ] || { failed_because "another user's write leaves $(stat -c %a "$1/id")"; return 0; }
    chmod 6755 "$1/group"
    chown 65534 "$1/group"
    [ "$(stat -c %a "$1/group")" = 755 ] || { failed_because "chown leaves $(stat -c %a "$1/group")"; return 0; }
    passed "owner and group taken on; bits gone after a write and a chown"
}

# --- exec

exec_work() {
    local number process
    cd "$1"
    cp /usr/bin/sleep sleeper
    ./sleeper 60 &
    process=$!
    sleep 0.2
    if (printf x >>sleeper) 2>/dev/null; then echo "a running program can be written to"; fi
    cp /usr/bin/true new
    mv new sleeper
    ./sleeper || echo "the new program does not run"
    [ "$(stat -L -c %s "/proc/$process/exe")" = "$(stat -c %s /usr/bin/sleep)" ] || echo "the old program is gone"
    cmp "/proc/$process/exe" /usr/bin/sleep || echo "the old program changed"
    kill $process
    wait $process || true
    (for number in $(seq 200); do cp /usr/bin/true next && mv next program; done) &
    process=$!
    while kill -0 $process 2>/dev/null; do
        [ ! -e program ] || ./program || echo "a program that is being replaced does not run: $?"
    done
    wait $process
}

step_exec() {
    local said
    said=$(exec_work "$1" 2>&1)
    [ -z "$said" ] || { failed_because "$(head -n 3 <<<"$said" | tr '\n' ' ')"; return 0; }
    passed "busy while it runs, replaced by rename, 200 replacements under way"
}

# --- verify

# sums DIR: of all files, with modes and owners
sums() {
    (cd "$1" && find . -xdev -printf '%p %y %m %U:%G %n %s %T@ %l\n' | sed -E 's/ d ([^ ]+ [^ ]+) [0-9]+ [0-9]+/ d \1/' | sort
        find . -xdev -type f -print0 | sort -z | xargs -0 sha256sum)
}

step_verify() {
    sums "$mount" >"$logs/before"
    if ! "$lamina" umount torture >"$logs/umount" 2>&1; then
        failed_because "$(cat "$logs/umount")"
        return 0
    fi
    if ! "$lamina" mount torture "$mount" >/dev/null 2>"$logs/mount"; then
        failed_because "$(cat "$logs/mount")"
        return 0
    fi
    sums "$mount" >"$logs/after"
    if ! "$lamina" umount torture 2>"$logs/umount"; then
        failed_because "$(cat "$logs/umount")"
    elif ! cmp -s "$logs/before" "$logs/after"; then
        failed_because "another tree after a remount: $(diff "$logs/before" "$logs/after" | head -n 3 | tr '\n' ' ')"
    elif ! "$lamina" verify >"$logs/verify" 2>&1; then
        failed_because "$(tail -n 1 "$logs/verify")"
    else
        passed "$(grep -c . "$logs/before") lines on names and contents the same after a remount; layers unchanged"
    fi
}
