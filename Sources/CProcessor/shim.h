#pragma once

#include <stdint.h>

// Processor instructions that Swift does not offer.

/// Prefetches the cache line at an address. The address need not be valid.
static inline __attribute__((always_inline)) void fetchAhead(const void *address) {
    __builtin_prefetch(address, 0, 2);
}

/// Prefetches a cache line that will be written.
static inline __attribute__((always_inline)) void fetchToWrite(void *address) {
    __builtin_prefetch(address, 1, 3);
}

typedef float lanes8 __attribute__((ext_vector_type(8)));
typedef float lanes4 __attribute__((ext_vector_type(4)));
typedef float lanes16 __attribute__((ext_vector_type(16)));
typedef float lanes2 __attribute__((ext_vector_type(2)));
typedef lanes2 looseLanes2 __attribute__((aligned(4)));
typedef uint32_t words16 __attribute__((ext_vector_type(16)));
typedef words16 looseWords16 __attribute__((aligned(4)));
typedef lanes4 looseLanes4 __attribute__((aligned(4)));
typedef lanes16 looseLanes16 __attribute__((aligned(4)));

/// Eight signed bytes as numbers. For the same conversion in Swift the compiler works lane by lane.
static inline __attribute__((always_inline)) lanes8 eightIntegers(const void *address) {
    typedef signed char bytes8 __attribute__((ext_vector_type(8), aligned(1)));
    return __builtin_convertvector(*(const bytes8 *)address, lanes8);
}

/// A float16 number in all lanes: two instructions, if the processor has F16C.
static inline __attribute__((always_inline)) lanes8 eightTimesHalf(const void *address) {
    typedef _Float16 half __attribute__((aligned(1)));
    typedef _Float16 halves8 __attribute__((ext_vector_type(8)));
    halves8 halves = *(const half *)address;
    return __builtin_convertvector(halves, lanes8);
}

/// The largest lane. Swift's own `max()` works lane by lane.
static inline __attribute__((always_inline)) float largestLane(lanes16 a) {
    return __builtin_reduce_max(a);
}

static inline __attribute__((always_inline)) lanes8 pairSums(lanes8 a, lanes8 b) {
    return __builtin_shufflevector(a, b, 0, 2, 8, 10, 4, 6, 12, 14) +
           __builtin_shufflevector(a, b, 1, 3, 9, 11, 5, 7, 13, 15);
}

/// The sums of the lanes of four vectors. For the same code in Swift the compiler emits thirty
/// instructions on single lanes in place of five.
static inline __attribute__((always_inline)) lanes4 laneSums(
    lanes8 a, lanes8 b, lanes8 c, lanes8 d) {
    lanes8 sums = pairSums(pairSums(a, b), pairSums(c, d));
    return sums.lo + sums.hi;
}
