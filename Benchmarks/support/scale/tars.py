"""Plain tars of any number of files, written as fast as Python can: ustar headers of one shape, digits put in.

A file's bytes are unlike any other's, so that nothing is stored once for many.
"""

import os

MIB = 1 << 20
FILES_A_DIRECTORY = 500
# From here on a file's bytes are written piece by piece.
PIECE = MIB


def paths(count):
    """Paths of `count` files: no directory holds more than 500 entries or so."""
    for number in range(count):
        directory = number // FILES_A_DIRECTORY
        yield f"opt/part{directory // FILES_A_DIRECTORY}/d{directory}/f{number}"


def header(path, size):
    """A ustar header (POSIX.1-2017, pax, ustar Interchange Format) of a regular file."""
    head = b"%-100s0000644\0000000000\0000000000\000%011o\00014505264400\000        0" % (
        path.encode().ljust(100, b"\0"), size)
    head = head.ljust(257, b"\0") + b"ustar\00000"
    head = head.ljust(512, b"\0")
    return head[:148] + b"%06o\0 " % sum(head) + head[156:]


def body(number, size):
    """Pieces of a file's bytes with their padding."""
    mark = number.to_bytes(8, "little")
    done = 0
    while done < size:
        count = min(PIECE, size - done)
        seed = mark + done.to_bytes(8, "little")
        yield (seed * (count // len(seed) + 1))[:count]
        done += count
    yield bytes(-size % 512)


def write(place, files, count, size):
    """Writes `count` tars that together hold `files` files of `size` bytes, dealt out in turn; gives their paths."""
    names = [os.path.join(place, f"layer{number}.tar") for number in range(count)]
    handles = [open(name, "wb", buffering=4 * MIB) for name in names]
    for number, path in enumerate(paths(files)):
        file = handles[number % count]
        file.write(header(path, size))
        for piece in body(number, size):
            file.write(piece)
    for file in handles:
        file.write(bytes(1024))
        file.close()
    return names
