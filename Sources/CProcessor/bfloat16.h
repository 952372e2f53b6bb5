#pragma once

#include "outer-sums.h"
#include "shim.h"
#include <stdint.h>
#if defined(__x86_64__)
#include <immintrin.h>
#endif

// Products of bfloat16 numbers with sums in float32. Two neighbors of a row form a word of 32 bits,
// the first in the low half; one instruction adds both products of sixteen words to sixteen sums.

enum {
    /// Rows and columns of a tile: 24 vectors of sums, which stay in the registers of AVX-512.
    bfloat16TileRows = 12,
    bfloat16TileColumns = 32,
    /// Words between the rows of a tile's left side if its rows are copied whole. Not a multiple of
    /// a page, so that the rows do not share the sets of a cache.
    bfloat16RowWords = 1040,
};

/// Whether the processor has the instructions of AVX-512 BF16.
static inline _Bool processorHasBFloat16(void) {
#if defined(__x86_64__)
    return __builtin_cpu_supports("avx512bf16") && __builtin_cpu_supports("avx512bw");
#else
    return 0;
#endif
}

// Rounding to nearest, ties to even. A NaN stays one. Numbers below the smallest normal one may
// become zero: the instruction for products takes them so.

#if defined(__AVX512BF16__) && defined(__AVX512BW__)
typedef uint16_t halves32 __attribute__((ext_vector_type(32)));

static inline __attribute__((always_inline)) halves32 bfloat16Halves(lanes16 a, lanes16 b) {
    return (halves32)_mm512_cvtne2ps_pbh((__m512)b, (__m512)a);
}
#endif

/// Sixteen words from the numbers of two rows.
static inline __attribute__((always_inline)) words16 bfloat16Words(lanes16 low, lanes16 high) {
#if defined(__AVX512BF16__) && defined(__AVX512BW__)
    halves32 halves = bfloat16Halves(low, high);
    return (words16)__builtin_shufflevector(
        halves, halves, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23, 8, 24, 9, 25, 10,
        26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31);
#else
    words16 a = (words16)low, b = (words16)high;
    a = (a + 0x7FFF + ((a >> 16) & 1)) | ((words16)(low != low) & 0x00400000);
    b = (b + 0x7FFF + ((b >> 16) & 1)) | ((words16)(high != high) & 0x00400000);
    return (a >> 16) | (b & 0xFFFF0000);
#endif
}

/// Words of `count` numbers of a row, times `factor`.
static inline __attribute__((always_inline)) void bfloat16Row(
    const float *x, float factor, long count, uint32_t *words) {
    uint16_t *halves = (uint16_t *)words;
    long i = 0;
#if defined(__AVX512BF16__) && defined(__AVX512BW__)
    for (; i + 32 <= count; i += 32) {
        lanes16 a = *(const looseLanes16 *)(x + i), b = *(const looseLanes16 *)(x + i + 16);
        *(looseWords16 *)(halves + i) = (words16)bfloat16Halves(a * factor, b * factor);
    }
#endif
    for (; i < count; i++) {
        float value = x[i] * factor;
        uint32_t bits;
        __builtin_memcpy(&bits, &value, 4);
        halves[i] = value != value ? 0x7FC0 : (bits + 0x7FFF + ((bits >> 16) & 1)) >> 16;
    }
    if (count % 2 == 1) halves[count] = 0;
}

/// Sixteen numbers, or the first `count` and zeros.
static inline __attribute__((always_inline)) lanes16 firstLanes(const float *x, long count) {
    if (count >= 16) return *(const looseLanes16 *)x;
    lanes16 lanes = (lanes16)0.0f;
    for (long i = 0; i < count; i++) lanes[i] = x[i];
    return lanes;
}

/// Words of two rows of `count` numbers, times `factor`; the second may be missing. For every
/// `height` columns sixteen words are stored, `step` words apart. Those past the end are zero.
static inline __attribute__((always_inline)) void bfloat16Zip(
    const float *low, const float *high, float factor, long count, long height, long blocks,
    uint32_t *out, long step) {
    for (long block = 0; block < blocks; block++, out += step) {
        long first = block * height;
        lanes16 a = firstLanes(low + first, count - first) * factor;
        lanes16 b = high ? firstLanes(high + first, count - first) * factor : (lanes16)0.0f;
        *(looseWords16 *)out = bfloat16Words(a, b);
    }
}

/// The same for rows of bfloat16 numbers.
static inline __attribute__((always_inline)) void bfloat16ZipHalves(
    const uint16_t *low, const uint16_t *high, long count, long height, long blocks,
    uint32_t *out, long step) {
    typedef uint16_t halves16 __attribute__((ext_vector_type(16), aligned(2)));
    for (long block = 0; block < blocks; block++, out += step) {
        long first = block * height, width = count - first < 16 ? count - first : 16;
        halves16 a = (halves16)0, b = (halves16)0;
        if (width == 16) {
            a = *(const halves16 *)(low + first);
            if (high) b = *(const halves16 *)(high + first);
        } else {
            for (long i = 0; i < width; i++) a[i] = low[first + i];
            for (long i = 0; high && i < width; i++) b[i] = high[first + i];
        }
        *(looseWords16 *)out = __builtin_convertvector(a, words16)
                             | __builtin_convertvector(b, words16) << 16;
    }
}

/// The left side of a product: a word of `row` and `pair` is at row · rowStep + pair · pairStep.
typedef struct {
    const uint32_t *words;
    long rowStep, pairStep;
} bfloat16Left;

/// The right side: two panels of sixteen columns, (pairs, 16) words each, `panelStep` words apart,
/// or one if not `isWide`.
typedef struct {
    const uint32_t *words;
    long panelStep;
    _Bool isWide;
} bfloat16Right;

/// The place of a tile's sums: (12, 32), or (32, 12) if `isTransposed`, with rows `stride` apart.
/// Columns 16 to 31 are not written if there is one panel.
typedef struct {
    float *sums;
    long stride;
    _Bool isTransposed, adds;
} bfloat16Out;

/// The work of a tile: out (+)= left right, over `pairs` words of each row. Meanwhile `nextStep`
/// bytes for each pair are prefetched from `next` on.
typedef struct {
    bfloat16Left left;
    bfloat16Right right;
    long pairs;
    const void *next;
    long nextStep;
    bfloat16Out out;
} bfloat16Product;

/// out (12, 16) (+)= sums
static inline __attribute__((always_inline)) void storeRows(
    const lanes16 *sums, float *out, long stride, _Bool adds) {
#pragma clang loop unroll(full)
    for (int row = 0; row < bfloat16TileRows; row++) {
        looseLanes16 *place = (looseLanes16 *)(out + row * stride);
        *place = adds ? *place + sums[row] : sums[row];
    }
}

/// out (16, 12) (+)= the transpose of sums (12, 16), four by four.
static inline __attribute__((always_inline)) void storeTransposed(
    const lanes16 *sums, float *out, long stride, _Bool adds) {
#pragma clang loop unroll(full)
    for (int row = 0; row < bfloat16TileRows; row += 4) {
        lanes16 a = sums[row], b = sums[row + 1], c = sums[row + 2], d = sums[row + 3];
        lanes16 ab = __builtin_shufflevector(
            a, b, 0, 16, 1, 17, 4, 20, 5, 21, 8, 24, 9, 25, 12, 28, 13, 29);
        lanes16 cd = __builtin_shufflevector(
            c, d, 0, 16, 1, 17, 4, 20, 5, 21, 8, 24, 9, 25, 12, 28, 13, 29);
        lanes16 abHigh = __builtin_shufflevector(
            a, b, 2, 18, 3, 19, 6, 22, 7, 23, 10, 26, 11, 27, 14, 30, 15, 31);
        lanes16 cdHigh = __builtin_shufflevector(
            c, d, 2, 18, 3, 19, 6, 22, 7, 23, 10, 26, 11, 27, 14, 30, 15, 31);
        // Columns 0, 4, 8 and 12, and so on, of the four rows.
        lanes16 lines[4] = {
            __builtin_shufflevector(
                ab, cd, 0, 1, 16, 17, 4, 5, 20, 21, 8, 9, 24, 25, 12, 13, 28, 29),
            __builtin_shufflevector(
                ab, cd, 2, 3, 18, 19, 6, 7, 22, 23, 10, 11, 26, 27, 14, 15, 30, 31),
            __builtin_shufflevector(
                abHigh, cdHigh, 0, 1, 16, 17, 4, 5, 20, 21, 8, 9, 24, 25, 12, 13, 28, 29),
            __builtin_shufflevector(
                abHigh, cdHigh, 2, 3, 18, 19, 6, 7, 22, 23, 10, 11, 26, 27, 14, 15, 30, 31),
        };
#pragma clang loop unroll(full)
        for (int i = 0; i < 4; i++) {
            lanes4 parts[4] = {
                __builtin_shufflevector(lines[i], lines[i], 0, 1, 2, 3),
                __builtin_shufflevector(lines[i], lines[i], 4, 5, 6, 7),
                __builtin_shufflevector(lines[i], lines[i], 8, 9, 10, 11),
                __builtin_shufflevector(lines[i], lines[i], 12, 13, 14, 15),
            };
#pragma clang loop unroll(full)
            for (int part = 0; part < 4; part++) {
                looseLanes4 *place = (looseLanes4 *)(out + (4 * part + i) * stride + row);
                *place = adds ? *place + parts[part] : parts[part];
            }
        }
    }
}

// What VDPBF16PS computes: first the products of the high halves, then those of the low ones.
#define TILE(name) portable##name
#define TARGET
#define DOT(sums, a, b) \
    ((sums) + (lanes16)((a) & 0xFFFF0000) * (lanes16)((b) & 0xFFFF0000) \
        + (lanes16)((a) << 16) * (lanes16)((b) << 16))
#include "bfloat16-tile.h"
#undef TILE
#undef TARGET
#undef DOT

#if defined(__x86_64__)
#define TILE(name) native##name
#define TARGET __attribute__((target("avx512f,avx512bw,avx512vl,avx512dq,avx512bf16")))
#define DOT(sums, a, b) (lanes16)_mm512_dpbf16_ps((__m512)(sums), (__m512bh)(a), (__m512bh)(b))
#include "bfloat16-tile.h"
#undef TILE
#undef TARGET
#undef DOT
#endif

/// The sums of one tile.
static inline void bfloat16Tile(_Bool isNative, const bfloat16Product *product) {
#if defined(__x86_64__)
    if (isNative) return nativeTile(product);
#endif
    portableTile(product);
}
