// SHA-256 (FIPS 180-4) of the same blocks into two states at once.
#ifndef CSHA256_H
#define CSHA256_H

#include <stddef.h>
#include <stdint.h>

// Whether this processor has what csha256_pair needs.
int csha256_pair_works(void);

// Takes `blocks` blocks of 64 bytes into both states, each the eight words of a running hash.
// Undefined unless csha256_pair_works.
void csha256_pair(uint32_t *first, uint32_t *second, const void *bytes, size_t blocks);

#endif
