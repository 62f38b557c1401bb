/* What the parts of Lamina are measured against: the same work by the libraries alone, or by a loop in C. */
#ifndef CONTROL_H
#define CONTROL_H

#include <stddef.h>
#include <stdint.h>

/* SHA-256 of `count` bytes by libcrypto; 1 when it could. */
int control_sha256(const void *bytes, size_t count, uint8_t digest[32]);

/* Decompress in one call into `out`; the number of bytes, 0 for an error. */
size_t control_gunzip(const void *bytes, size_t count, void *out, size_t room);
size_t control_unzstd(const void *bytes, size_t count, void *out, size_t room);
size_t control_unlz4(const void *bytes, size_t count, void *out, size_t room);

/* Compress likewise, for making what is decompressed. */
size_t control_gzip(const void *bytes, size_t count, void *out, size_t room);
size_t control_zstd(const void *bytes, size_t count, void *out, size_t room);
size_t control_lz4(const void *bytes, size_t count, void *out, size_t room);

/* Walks a tar of plain ustar entries, checks each header's sum, and counts the entries; 0 for an error. */
size_t control_tar(const void *bytes, size_t count);

/* Finds `wanted` among `count` sorted names of `width` bytes each; its place, or -1. */
long control_search(const char *names, size_t count, size_t width, const char *wanted);

/* Inserts `count` rows of a digest and two numbers into a new SQLite file at `path` in one transaction; 1 when done. */
int control_insert(const char *path, size_t count);

#endif
