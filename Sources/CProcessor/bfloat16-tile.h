// Included twice, for VDPBF16PS and for the same arithmetic in portable vectors. TILE names the
// functions, TARGET the instructions that they may use, DOT adds the products of two words.

static inline __attribute__((always_inline)) TARGET void TILE(Sums)(
    const int isWide, const bfloat16Product *product) {
    bfloat16Left left = product->left;
    bfloat16Right right = product->right;
    const char *next = product->next;
    long pairs = product->pairs, nextStep = product->nextStep;
    // An address for every three rows: with one, their sum of steps would be added up each turn.
    const uint32_t *places[bfloat16TileRows / 3];
    for (int i = 0; i < bfloat16TileRows / 3; i++) places[i] = left.words + 3 * i * left.rowStep;
    lanes16 first[bfloat16TileRows], second[bfloat16TileRows];
#pragma clang loop unroll(full)
    for (int row = 0; row < bfloat16TileRows; row++) first[row] = second[row] = (lanes16)0.0f;
    const uint32_t *other = right.words + right.panelStep;
    for (long pair = 0; pair < pairs; pair++) {
        fetchAhead(next + pair * nextStep);
        if (nextStep > 64) fetchAhead(next + pair * nextStep + 64);
        words16 a = *(const looseWords16 *)(right.words + 16 * pair);
        words16 b = isWide ? *(const looseWords16 *)(other + 16 * pair) : a;
#pragma clang loop unroll(full)
        for (int row = 0; row < bfloat16TileRows; row++) {
            words16 factor = (words16)places[row / 3][row % 3 * left.rowStep];
            first[row] = DOT(first[row], a, factor);
            if (isWide) second[row] = DOT(second[row], b, factor);
        }
#pragma clang loop unroll(full)
        for (int i = 0; i < bfloat16TileRows / 3; i++) {
            places[i] += left.pairStep;
            // Hidden from the compiler, which would hold an address for every row, in memory.
            __asm__("" : "+r"(places[i]));
        }
    }
    bfloat16Out out = product->out;
    if (out.isTransposed) {
        storeTransposed(first, out.sums, out.stride, out.adds);
        if (isWide) storeTransposed(second, out.sums + 16 * out.stride, out.stride, out.adds);
    } else {
        storeRows(first, out.sums, out.stride, out.adds);
        if (isWide) storeRows(second, out.sums + 16, out.stride, out.adds);
    }
}

static TARGET __attribute__((noinline, unused)) void TILE(Tile)(const bfloat16Product *product) {
    if (product->right.isWide) TILE(Sums)(1, product);
    else TILE(Sums)(0, product);
}
