#pragma once

#include "outer-sums.h"
#include "shim.h"
#include <stdint.h>

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

/// Sixteen words from the numbers of two rows, rounded to nearest, ties to even. A NaN stays one.
static inline __attribute__((always_inline)) words16 bfloat16Words(lanes16 low, lanes16 high) {
    words16 a = (words16)low, b = (words16)high;
    a = (a + 0x7FFF + ((a >> 16) & 1)) | ((words16)(low != low) & 0x00400000);
    b = (b + 0x7FFF + ((b >> 16) & 1)) | ((words16)(high != high) & 0x00400000);
    return (a >> 16) | (b & 0xFFFF0000);
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
#include <immintrin.h>
#define TILE(name) native##name
#define TARGET __attribute__((target("avx512f,avx512bw,avx512vl,avx512dq,avx512bf16")))
#define DOT(sums, a, b) (lanes16)_mm512_dpbf16_ps((__m512)(sums), (__m512bh)(a), (__m512bh)(b))
#include "bfloat16-tile.h"
#undef TILE
#undef TARGET
#undef DOT
#endif

/// Whether a tile's left side holds whole rows, or one word of every row after the other.
typedef enum { bfloat16Rows, bfloat16Columns } bfloat16Layout;

/// sums (12, 32) = left right: `pairs` words of twelve rows, and two panels of (pairs, 16) words
/// one after the other, or one panel if not `isWide`; then columns 16 to 31 are not written.
/// Meanwhile `nextStep` bytes for each pair are prefetched from `next` on.
static inline void bfloat16Tile(
    _Bool isNative, bfloat16Layout layout, _Bool isWide, const uint32_t *left,
    const uint32_t *right, long pairs, const void *next, long nextStep, float *sums) {
#if defined(__x86_64__)
    if (isNative) {
        if (layout == bfloat16Rows) {
            nativeRowsTile(isWide, left, right, pairs, next, nextStep, sums);
        } else {
            nativeColumnsTile(isWide, left, right, pairs, next, nextStep, sums);
        }
        return;
    }
#endif
    if (layout == bfloat16Rows) {
        portableRowsTile(isWide, left, right, pairs, next, nextStep, sums);
    } else {
        portableColumnsTile(isWide, left, right, pairs, next, nextStep, sums);
    }
}

/// out (columns, 12) (+)= the transpose of a tile, rows of `out` `stride` apart; `columns` is a
/// multiple of four.
static inline void storeTransposedTile(
    const float *sums, float *out, long stride, long columns, _Bool adds) {
    for (long row = 0; row < bfloat16TileRows; row += 4) {
        transposeFour(
            sums + row * bfloat16TileColumns, bfloat16TileColumns, columns / 4, out + row, stride,
            adds);
    }
}
