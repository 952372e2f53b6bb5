// Included twice, for VDPBF16PS and for the same arithmetic in portable vectors. TILE names the
// functions, TARGET the instructions that they may use, DOT adds the products of two words.

static inline __attribute__((always_inline)) TARGET void TILE(Sums)(
    const int isWide, const int rowWords, const int pairWords, const uint32_t *left,
    const uint32_t *right, long pairs, const char *next, long nextStep, float *out) {
    lanes16 first[bfloat16TileRows], second[bfloat16TileRows];
    for (int row = 0; row < bfloat16TileRows; row++) first[row] = second[row] = (lanes16)0.0f;
    const uint32_t *other = right + 16 * pairs;
    for (long pair = 0; pair < pairs; pair++) {
        fetchAhead(next + pair * nextStep);
        if (nextStep > 64) fetchAhead(next + pair * nextStep + 64);
        words16 a = *(const looseWords16 *)(right + 16 * pair);
        words16 b = isWide ? *(const looseWords16 *)(other + 16 * pair) : a;
#pragma clang loop unroll(full)
        for (int row = 0; row < bfloat16TileRows; row++) {
            words16 factor = (words16)left[row * rowWords + pair * pairWords];
            first[row] = DOT(first[row], a, factor);
            if (isWide) second[row] = DOT(second[row], b, factor);
        }
    }
    for (int row = 0; row < bfloat16TileRows; row++) {
        *(looseLanes16 *)(out + bfloat16TileColumns * row) = first[row];
        if (isWide) *(looseLanes16 *)(out + bfloat16TileColumns * row + 16) = second[row];
    }
}

static TARGET __attribute__((noinline, unused)) void TILE(RowsTile)(
    _Bool isWide, const uint32_t *left, const uint32_t *right, long pairs, const char *next,
    long nextStep, float *out) {
    if (isWide) TILE(Sums)(1, bfloat16RowWords, 1, left, right, pairs, next, nextStep, out);
    else TILE(Sums)(0, bfloat16RowWords, 1, left, right, pairs, next, nextStep, out);
}

static TARGET __attribute__((noinline, unused)) void TILE(ColumnsTile)(
    _Bool isWide, const uint32_t *left, const uint32_t *right, long pairs, const char *next,
    long nextStep, float *out) {
    if (isWide) TILE(Sums)(1, 1, bfloat16TileRows, left, right, pairs, next, nextStep, out);
    else TILE(Sums)(0, 1, bfloat16TileRows, left, right, pairs, next, nextStep, out);
}
