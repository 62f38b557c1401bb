"""The layer that the benchmark adds to the image: files of known sizes, a project to compile, a package to install."""

import io
import os
import random
import subprocess
import tarfile
import tempfile

ROOM = "benchmark"
MIB = 1 << 20

# What is how large and how many. `quick` shows that everything works and measures nothing.
FULL = {
    "first": {"4KiB": (4096, 20), "1MiB": (MIB, 10), "100MiB": (100 * MIB, 1), "1GiB": (1024 * MIB, 1)},
    "names": 10_000, "syncs": 200, "write": 1024 * MIB, "small-write": 64 * MIB, "random": 20_000,
    "package": 8_000, "c": 24, "c++": 2, "synthetic": 50_000, "seconds": 2.0, "mounts": 200,
}
QUICK = {
    "first": {"4KiB": (4096, 4), "1MiB": (MIB, 2), "100MiB": (4 * MIB, 1), "1GiB": (32 * MIB, 1)},
    "names": 300, "syncs": 5, "write": 16 * MIB, "small-write": MIB, "random": 500,
    "package": 200, "c": 2, "c++": 1, "synthetic": 4_000, "seconds": 0.2, "mounts": 20,
}

C_FILE = """#include <errno.h>
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include "unit.h"
"""
C_FUNCTION = """
int unit{file}_function{number}(struct unit *unit, const char *name) {{
    char text[64];
    snprintf(text, sizeof text, "%s-{number}-%d", name, unit->count);
    unit->count += (int)strlen(text);
    return unit->count > {number} ? unit->count : errno;
}}
"""
CXX_FILE = """#include <algorithm>
#include <functional>
#include <iostream>
#include <map>
#include <memory>
#include <regex>
#include <string>
#include <unordered_map>
#include <vector>

std::map<std::string, std::vector<int>> table{file}(const std::vector<std::string> &words) {{
    std::map<std::string, std::vector<int>> result;
    std::regex pattern("[a-z]+{file}");
    for (const auto &word : words)
        if (std::regex_match(word, pattern)) result[word].push_back(static_cast<int>(word.size()));
    for (auto &[word, sizes] : result) std::sort(sizes.begin(), sizes.end(), std::greater<int>());
    return result;
}}
"""
MAKEFILE = """B := /tmp/build
OBJECTS := $(patsubst %.c,$B/%.o,$(wildcard *.c)) $(patsubst %.cpp,$B/%.o,$(wildcard *.cpp))
$B/library.a: $(OBJECTS)
\tar rcs $@ $^
$B/%.o: %.c unit.h
\tgcc -O1 -c -o $@ $<
$B/%.o: %.cpp
\tg++ -O1 -std=c++17 -c -o $@ $<
$(OBJECTS): | $B
$B:
\tmkdir -p $B
"""


class Blocks(io.RawIOBase):
    """Bytes that no two MiB share, as a file to read from."""

    def __init__(self, size, seed):
        self.block = random.Random(seed).randbytes(MIB)
        self.size, self.position = size, 0

    def readable(self):
        return True

    def readinto(self, buffer):
        offset = self.position % MIB
        count = min(len(buffer), self.size - self.position, MIB - offset)
        piece = bytearray(self.block[offset:offset + count])
        if offset == 0 and count >= 8:
            piece[:8] = self.position.to_bytes(8, "little")
        buffer[:count] = piece
        self.position += count
        return count


def first_files(sizes, size_name):
    """Paths, from the tree's root, of the files of one size."""
    _, count = sizes["first"][size_name]
    return [f"{ROOM}/{size_name}-{number}" for number in range(count)]


def project(sizes):
    """Name to text of a project of C and C++."""
    files = {"Makefile": MAKEFILE, "unit.h": "#pragma once\nstruct unit { int count; };\n"}
    for file in range(sizes["c"]):
        functions = (C_FUNCTION.format(file=file, number=number) for number in range(30))
        files[f"unit{file}.c"] = C_FILE + "".join(functions)
    for file in range(sizes["c++"]):
        files[f"table{file}.cpp"] = CXX_FILE.format(file=file)
    return files


def package(sizes, place):
    """A Debian package of so many small files; its path."""
    with tempfile.TemporaryDirectory(dir=place) as tree:
        os.chmod(tree, 0o755)
        os.mkdir(os.path.join(tree, "DEBIAN"))
        with open(os.path.join(tree, "DEBIAN/control"), "w") as file:
            file.write("Package: lamina-benchmark\nVersion: 1\nArchitecture: all\nDescription: many small files\n"
                       "Maintainer: Lamina benchmark <benchmark@example.org>\n")
        for number in range(sizes["package"]):
            directory = os.path.join(tree, f"usr/share/lamina-benchmark/{number // 25}")
            os.makedirs(directory, exist_ok=True)
            with open(os.path.join(directory, f"file{number}"), "w") as file:
                file.write(f"file {number}\n" * 40)
        path = os.path.join(place, "package.deb")
        subprocess.run(
            ["dpkg-deb", "--root-owner-group", "-Znone", "--build", tree, path], check=True, stdout=subprocess.DEVNULL)
    return path


def write(path, sizes, place):
    """Writes the layer's tar."""
    with tarfile.open(path, "w", format=tarfile.PAX_FORMAT) as tar:
        def add(name, size, data, **fields):
            member = tarfile.TarInfo(f"{ROOM}/{name}" if name else ROOM)
            member.size, member.mode, member.mtime = size, 0o644, 1_700_000_000
            for field, value in fields.items():
                setattr(member, field, value)
            tar.addfile(member, data)

        add("", 0, None, type=tarfile.DIRTYPE, mode=0o755)
        for seed, name in enumerate(sizes["first"]):
            size, count = sizes["first"][name]
            for number in range(count):
                add(f"{name}-{number}", size, io.BufferedReader(Blocks(size, seed * 100 + number)))
        add("project", 0, None, type=tarfile.DIRTYPE, mode=0o755)
        for name, text in project(sizes).items():
            add(f"project/{name}", len(text), io.BytesIO(text.encode()))
        deb = package(sizes, place)
        with open(deb, "rb") as file:
            add("package.deb", os.path.getsize(deb), file)
        os.unlink(deb)


def write_synthetic(paths, count, place):
    """Writes `count` layers' tars that together hold `paths`, dealt out in turn; gives the tars' paths."""
    names = [os.path.join(place, f"synthetic{number}.tar") for number in range(count)]
    for number, name in enumerate(names):
        with tarfile.open(name, "w", format=tarfile.USTAR_FORMAT) as tar:
            for path in paths[number::count]:
                member = tarfile.TarInfo(path)
                member.mode, member.mtime = 0o644, 1_700_000_000
                tar.addfile(member)
    return names
