#pragma once

#include "shim.h"
#include <stdint.h>

// Sums of outer products: the kernel of attention and of products with few rows. A tile of sums is
// `outerRows` by sixteen numbers and stays in registers; each turn adds the product of a column of
// factors and a line of sixteen numbers. The turns of a sum have one order, whatever the tile.

enum {
    /// Twelve vectors of sixteen numbers of AVX-512's 32 registers, or of eight of AVX2's 16.
#if defined(__AVX512F__)
    outerRows = 12,
#else
    outerRows = 6,
#endif
};

/// Rows become columns: four times each row is interleaved with the one eight places on.
static inline __attribute__((always_inline)) void transposeSixteen(words16 rows[16]) {
    for (int round = 0; round < 4; round++) {
        words16 next[16];
#pragma clang loop unroll(full)
        for (int i = 0; i < 8; i++) {
            next[2 * i] = __builtin_shufflevector(
                rows[i], rows[i + 8], 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
            next[2 * i + 1] = __builtin_shufflevector(
                rows[i], rows[i + 8], 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15,
                31);
        }
#pragma clang loop unroll(full)
        for (int i = 0; i < 16; i++) rows[i] = next[i];
    }
}

/// One to sixteen rows of `words` words, `stride` apart, as (words, 16); missing rows are zero.
static __attribute__((noinline, unused)) void packPanel(
    const uint32_t *x, long stride, long count, long words, uint32_t *out) {
    words16 rows[16];
    long first = 0;
    for (; first + 16 <= words; first += 16) {
#pragma clang loop unroll(full)
        for (int row = 0; row < 16; row++) {
            rows[row] = row < count ? *(const looseWords16 *)(x + row * stride + first)
                                    : (words16)0;
        }
        transposeSixteen(rows);
#pragma clang loop unroll(full)
        for (int i = 0; i < 16; i++) *(looseWords16 *)(out + 16 * (first + i)) = rows[i];
    }
    for (; first < words; first++) {
        for (int row = 0; row < 16; row++) {
            out[16 * first + row] = row < count ? x[row * stride + first] : 0;
        }
    }
}

/// Four rows of 4 · `groups` numbers each, `step` apart → as many rows of four, `stride` apart.
static inline __attribute__((always_inline)) void transposeFour(
    const float *from, long step, long groups, float *out, long stride, _Bool adds) {
    for (long group = 0; group < groups; group++, from += 4, out += 4 * stride) {
        lanes4 a = *(const looseLanes4 *)from;
        lanes4 b = *(const looseLanes4 *)(from + step);
        lanes4 c = *(const looseLanes4 *)(from + 2 * step);
        lanes4 d = *(const looseLanes4 *)(from + 3 * step);
        lanes4 ab = __builtin_shufflevector(a, b, 0, 4, 1, 5);
        lanes4 cd = __builtin_shufflevector(c, d, 0, 4, 1, 5);
        lanes4 abHigh = __builtin_shufflevector(a, b, 2, 6, 3, 7);
        lanes4 cdHigh = __builtin_shufflevector(c, d, 2, 6, 3, 7);
        lanes4 lines[4] = {
            __builtin_shufflevector(ab, cd, 0, 1, 4, 5),
            __builtin_shufflevector(ab, cd, 2, 3, 6, 7),
            __builtin_shufflevector(abHigh, cdHigh, 0, 1, 4, 5),
            __builtin_shufflevector(abHigh, cdHigh, 2, 3, 6, 7),
        };
        for (int i = 0; i < 4; i++) {
            looseLanes4 *place = (looseLanes4 *)(out + i * stride);
            *place = adds ? *place + lines[i] : lines[i];
        }
    }
}

/// The same for two rows.
static inline __attribute__((always_inline)) void transposeTwo(
    const float *from, long step, long groups, float *out, long stride, _Bool adds) {
    for (long group = 0; group < groups; group++, from += 4, out += 4 * stride) {
        lanes4 a = *(const looseLanes4 *)from;
        lanes4 b = *(const looseLanes4 *)(from + step);
        lanes4 halves[2] = {
            __builtin_shufflevector(a, b, 0, 4, 1, 5), __builtin_shufflevector(a, b, 2, 6, 3, 7),
        };
        for (int i = 0; i < 4; i++) {
            looseLanes2 *place = (looseLanes2 *)(out + i * stride);
            lanes2 line = i % 2 == 0 ? halves[i / 2].lo : halves[i / 2].hi;
            *place = adds ? *place + line : line;
        }
    }
}

static inline __attribute__((always_inline)) void outerSums(
    const int rows, const float *factors, long rowStep, long step, const float *lines,
    long lineStep, long turns, const float *next, lanes16 *out) {
    // An address for every three rows: with one, their sum of steps would be added up each turn.
    const float *places[(outerRows + 2) / 3];
    for (int i = 0; i < (rows + 2) / 3; i++) places[i] = factors + 3 * i * rowStep;
    lanes16 sums[outerRows];
    for (int row = 0; row < rows; row++) sums[row] = (lanes16)0.0f;
    for (long first = 0; first < turns; first += 16) {
        for (int i = 0; next && i < rows; i++) fetchAhead(next + rows * first + 16 * i);
        long end = first + 16 < turns ? first + 16 : turns;
        for (long turn = first; turn < end; turn++) {
            lanes16 line = *(const looseLanes16 *)lines;
            lines += lineStep;
#pragma clang loop unroll(full)
            for (int row = 0; row < rows; row++) {
                lanes16 factor = (lanes16)places[row / 3][row % 3 * rowStep];
                sums[row] = __builtin_elementwise_fma(line, factor, sums[row]);
            }
#pragma clang loop unroll(full)
            for (int i = 0; i < (rows + 2) / 3; i++) places[i] += step;
        }
    }
    for (int row = 0; row < rows; row++) out[row] = sums[row];
}

/// sums[row] = Σ_turn factors[row · rowStep + turn · step] · lines[turn · lineStep ..< + 16] for
/// 1 to `outerRows` rows. If `next` is given, as many bytes there are prefetched as are read of the
/// factors.
static __attribute__((noinline, unused)) void outerTile(
    long rows, const float *factors, long rowStep, long step, const float *lines, long lineStep,
    long turns, const float *next, lanes16 *sums) {
#define CASE(count) \
    case count: outerSums(count, factors, rowStep, step, lines, lineStep, turns, 0, sums); return;
    switch (rows) {
        CASE(1) CASE(2) CASE(3) CASE(4) CASE(5)
#if defined(__AVX512F__)
        CASE(6) CASE(7) CASE(8) CASE(9) CASE(10) CASE(11)
#endif
    }
#undef CASE
    outerSums(outerRows, factors, rowStep, step, lines, lineStep, turns, next, sums);
}

/// out (rows, 16) (+)= the sums of `outerTile`; rows of `out` lie `stride` apart.
static inline void weightedLines(
    long rows, const float *factors, long rowStep, long step, const float *lines, long lineStep,
    long turns, float *out, long stride, _Bool adds) {
    lanes16 sums[outerRows];
    outerTile(rows, factors, rowStep, step, lines, lineStep, turns, 0, sums);
    for (long row = 0; row < rows; row++) {
        looseLanes16 *place = (looseLanes16 *)(out + row * stride);
        *place = adds ? *place + sums[row] : sums[row];
    }
}

/// out (count, columns) (+)= x wᵀ for 1 to 16 rows of x, packed as (turns, 16), and 1 to
/// `outerRows` rows of w, of `turns` numbers each.
static inline void panelProducts(
    const float *panel, const float *w, long turns, long columns, const float *next, float *out,
    long stride, long count, _Bool adds) {
    lanes16 sums[outerRows];
    outerTile(columns, w, turns, 1, panel, 16, turns, next, sums);
    const float *from = (const float *)sums;
    long wide = columns / 4 * 4, whole = count / 4 * 4;
    for (long i = 0; i < wide; i += 4) {
        transposeFour(from + 16 * i, 16, count / 4, out + i, stride, adds);
    }
    if (columns - wide >= 2) {
        transposeTwo(from + 16 * wide, 16, count / 4, out + wide, stride, adds);
        wide += 2;
    }
    for (long line = 0; line < count; line++) {
        for (long i = line < whole ? wide : 0; i < columns; i++) {
            float *place = out + line * stride + i;
            *place = adds ? *place + from[16 * i + line] : from[16 * i + line];
        }
    }
}
