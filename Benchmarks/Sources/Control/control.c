/* Every function does what its header says and nothing else: no checks that Lamina makes, no copies that it saves. */
#include "control.h"

#include <isa-l/igzip_lib.h>
#include <lz4frame.h>
#include <openssl/evp.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>
#include <zstd.h>

int control_sha256(const void *bytes, size_t count, uint8_t digest[32])
{
    return EVP_Digest(bytes, count, digest, NULL, EVP_sha256(), NULL);
}

size_t control_gunzip(const void *bytes, size_t count, void *out, size_t room)
{
    struct inflate_state *state = malloc(sizeof *state);
    size_t found = 0;
    if (state == NULL) return 0;
    isal_inflate_init(state);
    state->next_in = (uint8_t *)bytes;
    state->avail_in = (uint32_t)count;
    state->next_out = out;
    state->avail_out = (uint32_t)room;
    state->crc_flag = ISAL_GZIP;
    if (isal_inflate(state) == ISAL_DECOMP_OK && state->block_state == ISAL_BLOCK_FINISH) found = state->total_out;
    free(state);
    return found;
}

size_t control_unzstd(const void *bytes, size_t count, void *out, size_t room)
{
    size_t found = ZSTD_decompress(out, room, bytes, count);
    return ZSTD_isError(found) ? 0 : found;
}

size_t control_unlz4(const void *bytes, size_t count, void *out, size_t room)
{
    LZ4F_dctx *context = NULL;
    size_t found = 0, taken = 0;
    if (LZ4F_isError(LZ4F_createDecompressionContext(&context, LZ4F_VERSION))) return 0;
    for (;;) {
        size_t given = room - found, eaten = count - taken;
        size_t hint = LZ4F_decompress(context, (char *)out + found, &given, (const char *)bytes + taken, &eaten, NULL);
        if (LZ4F_isError(hint)) { found = 0; break; }
        found += given;
        taken += eaten;
        if (hint == 0 || (given == 0 && eaten == 0)) break;
    }
    LZ4F_freeDecompressionContext(context);
    return found;
}

size_t control_gzip(const void *bytes, size_t count, void *out, size_t room)
{
    z_stream stream;
    size_t found = 0;
    memset(&stream, 0, sizeof stream);
    if (deflateInit2(&stream, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) != Z_OK) return 0;
    stream.next_in = (unsigned char *)bytes;
    stream.avail_in = (unsigned)count;
    stream.next_out = out;
    stream.avail_out = (unsigned)room;
    if (deflate(&stream, Z_FINISH) == Z_STREAM_END) found = stream.total_out;
    deflateEnd(&stream);
    return found;
}

size_t control_zstd(const void *bytes, size_t count, void *out, size_t room)
{
    size_t found = ZSTD_compress(out, room, bytes, count, 3);
    return ZSTD_isError(found) ? 0 : found;
}

size_t control_lz4(const void *bytes, size_t count, void *out, size_t room)
{
    size_t found = LZ4F_compressFrame(out, room, bytes, count, NULL);
    return LZ4F_isError(found) ? 0 : found;
}

static size_t octal(const char *field, size_t width)
{
    size_t value = 0;
    for (size_t i = 0; i < width && field[i] >= '0' && field[i] <= '7'; i++) value = value * 8 + (size_t)(field[i] - '0');
    return value;
}

size_t control_tar(const void *bytes, size_t count)
{
    const unsigned char *at = bytes, *end = at + count;
    size_t entries = 0;
    while ((size_t)(end - at) >= 512 && at[0] != 0) {
        unsigned sum = 8 * ' ';
        for (size_t i = 0; i < 512; i++) sum += i >= 148 && i < 156 ? 0 : at[i];
        if (sum != octal((const char *)at + 148, 8)) return 0;
        size_t blocks = 1 + (octal((const char *)at + 124, 12) + 511) / 512;
        if (blocks > (size_t)(end - at) / 512) return 0;
        at += blocks * 512;
        entries++;
    }
    return entries;
}

long control_search(const char *names, size_t count, size_t width, const char *wanted)
{
    size_t low = 0, high = count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = memcmp(names + middle * width, wanted, width);
        if (order == 0) return (long)middle;
        if (order < 0) low = middle + 1; else high = middle;
    }
    return -1;
}

int control_insert(const char *path, size_t count)
{
    sqlite3 *database = NULL;
    sqlite3_stmt *insert = NULL;
    char digest[65];
    int done = sqlite3_open(path, &database) == SQLITE_OK
        && sqlite3_exec(database, "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;"
            "CREATE TABLE content (digest TEXT PRIMARY KEY, size INTEGER, kind INTEGER) WITHOUT ROWID;"
            "BEGIN IMMEDIATE", NULL, NULL, NULL) == SQLITE_OK
        && sqlite3_prepare_v2(database, "INSERT INTO content VALUES (?, ?, ?)", -1, &insert, NULL) == SQLITE_OK;
    for (size_t i = 0; done && i < count; i++) {
        snprintf(digest, sizeof digest, "%064zx", i * 2654435761u % 4294967296u);
        sqlite3_bind_text(insert, 1, digest, 64, SQLITE_STATIC);
        sqlite3_bind_int64(insert, 2, (sqlite3_int64)i);
        sqlite3_bind_int64(insert, 3, 1);
        done = sqlite3_step(insert) == SQLITE_DONE && sqlite3_reset(insert) == SQLITE_OK;
    }
    done = done && sqlite3_exec(database, "COMMIT", NULL, NULL, NULL) == SQLITE_OK;
    sqlite3_finalize(insert);
    sqlite3_close(database);
    return done;
}
