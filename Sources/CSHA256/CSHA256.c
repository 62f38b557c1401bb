// A payload that becomes an object is hashed twice, for the layer and for itself, from the same
// blocks. The processor's SHA instructions leave half of its time to a second hash, as each waits
// for the one before, and the message schedule is the same: so two cost little more than one.
// libcrypto has no such function. The instructions: Intel SDM, volume 2, SHA256RNDS2 and others.
#include "CSHA256.h"

#if defined(__x86_64__)
#include <cpuid.h>
#include <immintrin.h>

int csha256_pair_works(void) {
    unsigned a, b, c, d;
    if (!__get_cpuid(1, &a, &b, &c, &d) || !(c & bit_SSSE3) || !(c & bit_SSE4_1)) return 0;
    return __get_cpuid_count(7, 0, &a, &b, &c, &d) && (b & (1u << 29));
}

static const uint32_t constants[64] __attribute__((aligned(16))) = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
};

// A state in the order that the instructions want: the words A, B, E, F and C, D, G, H.
struct state {
    __m128i abef, cdgh;
};

#define WITH_SHA __attribute__((target("sha,sse4.1,ssse3")))
#define WITH_SHA_INLINE static inline __attribute__((target("sha,sse4.1,ssse3"), always_inline))

WITH_SHA_INLINE struct state load(const uint32_t *words) {
    __m128i cdab = _mm_shuffle_epi32(_mm_loadu_si128((const __m128i *)words), 0xB1);
    __m128i efgh = _mm_shuffle_epi32(_mm_loadu_si128((const __m128i *)(words + 4)), 0x1B);
    return (struct state){_mm_alignr_epi8(cdab, efgh, 8), _mm_blend_epi16(efgh, cdab, 0xF0)};
}

WITH_SHA_INLINE void store(uint32_t *words, struct state state) {
    __m128i feba = _mm_shuffle_epi32(state.abef, 0x1B);
    __m128i dchg = _mm_shuffle_epi32(state.cdgh, 0xB1);
    _mm_storeu_si128((__m128i *)words, _mm_blend_epi16(feba, dchg, 0xF0));
    _mm_storeu_si128((__m128i *)(words + 4), _mm_alignr_epi8(dchg, feba, 8));
}

// Four rounds.
WITH_SHA_INLINE void step(struct state *state, __m128i low, __m128i high) {
    state->cdgh = _mm_sha256rnds2_epu32(state->cdgh, state->abef, low);
    state->abef = _mm_sha256rnds2_epu32(state->abef, state->cdgh, high);
}

WITH_SHA_INLINE void add(struct state *state, struct state before) {
    state->abef = _mm_add_epi32(state->abef, before.abef);
    state->cdgh = _mm_add_epi32(state->cdgh, before.cdgh);
}

WITH_SHA void csha256_pair(uint32_t *first, uint32_t *second, const void *bytes, size_t blocks) {
    const __m128i swap = _mm_set_epi64x(0x0c0d0e0f08090a0b, 0x0405060700010203);
    const __m128i *input = bytes;
    struct state one = load(first), two = load(second);
    for (; blocks > 0; blocks--, input += 4) {
        const struct state one_before = one, two_before = two;
        __m128i words[4];
#pragma clang loop unroll(full)
        for (int i = 0; i < 4; i++) words[i] = _mm_shuffle_epi8(_mm_loadu_si128(input + i), swap);
#pragma clang loop unroll(full)
        for (int i = 0; i < 16; i++) {
            const __m128i low = _mm_add_epi32(words[i % 4], _mm_load_si128((const __m128i *)constants + i));
            const __m128i high = _mm_shuffle_epi32(low, 0x0E);
            step(&one, low, high);
            step(&two, low, high);
            if (i < 12) {
                const __m128i last = words[(i + 3) % 4];
                const __m128i early = _mm_sha256msg1_epu32(words[i % 4], words[(i + 1) % 4]);
                const __m128i middle = _mm_alignr_epi8(last, words[(i + 2) % 4], 4);
                words[i % 4] = _mm_sha256msg2_epu32(_mm_add_epi32(early, middle), last);
            }
        }
        add(&one, one_before);
        add(&two, two_before);
    }
    store(first, one);
    store(second, two);
}

#else

int csha256_pair_works(void) {
    return 0;
}

void csha256_pair(uint32_t *first, uint32_t *second, const void *bytes, size_t blocks) {
    (void)first, (void)second, (void)bytes, (void)blocks;
}

#endif
