"""The generator of Sources/Tensors/RandomKey.swift in numpy: Philox4x32-10 (Salmon, Moraes, Dror, Shaw:
Parallel random numbers: as easy as 1, 2, 3; SC 2011).

Models of the fixtures are made of its numbers, so that no weights need to be stored.
"""
import numpy as np

MASK = (1 << 64) - 1
LOW = np.uint64(0xFFFFFFFF)
SHIFT = np.uint64(32)


def philox(counter, stream, key):
    """Four words of 32 bits, as uint64 arrays, for an array of counters under one stream and key."""
    counter = np.asarray(counter, np.uint64)
    stream, key = np.uint64(stream), np.uint64(key)
    c = [counter & LOW, counter >> SHIFT,
         np.full_like(counter, stream & LOW), np.full_like(counter, stream >> SHIFT)]
    k = [int(key & LOW), int(key >> SHIFT)]
    for _ in range(10):
        first, second = c[0] * np.uint64(0xD2511F53), c[2] * np.uint64(0xCD9E8D57)
        c = [(second >> SHIFT) ^ c[1] ^ np.uint64(k[0]), second & LOW,
             (first >> SHIFT) ^ c[3] ^ np.uint64(k[1]), first & LOW]
        k = [(k[0] + 0x9E3779B9) & 0xFFFFFFFF, (k[1] + 0xBB67AE85) & 0xFFFFFFFF]
    return c


class RandomKey:
    def __init__(self, seed):
        self.key = self._mix(seed, 0x53414D49)

    @staticmethod
    def _mix(key, index):
        block = philox([index], 2, key)
        return int(block[0][0]) | int(block[1][0]) << 32

    @classmethod
    def _of(cls, key):
        made = cls.__new__(cls)
        made.key = key
        return made

    def child(self, part):
        if isinstance(part, int):
            return self._of(self._mix(self.key, (part + 1) & MASK))
        hash = 0xCBF29CE484222325
        for byte in part.encode():
            hash = ((hash ^ byte) * 0x100000001B3) & MASK
        return self._of(self._mix(self.key ^ 0x9E3779B97F4A7C15, hash))

    def bits(self, counter):
        block = philox([counter], 0, self.key)
        return int(block[0][0]) | int(block[1][0]) << 32

    def uniform(self, counter):
        return (self.bits(counter) >> 11) * 2.0**-53

    def integer(self, counter, bound):
        return 0 if bound < 2 else self.bits(counter) * bound >> 64

    def normal(self, count):
        """The first `count` standard normals, by the transformation of Box and Muller."""
        block = philox(np.arange(count), 1, self.key)
        part = np.uint64(0x1FFFFF)
        first = ((block[0] | (block[1] & part) << SHIFT).astype(np.float64) + 1) * 2.0**-53
        second = (block[2] | (block[3] & part) << SHIFT).astype(np.float64) * 2.0**-53
        return np.sqrt(-2 * np.log(first)) * np.cos(2 * np.pi * second)


def known_answers():
    """What RandomKeyTests compares with."""
    key = RandomKey(7).child(3).child("rollout")
    return {
        "bits": [str(key.bits(i)) for i in (0, 5, 6, (1 << 40) + 1)],
        "uniform": [key.uniform(i) for i in range(4)],
        "below1000": [key.integer(i, 1000) for i in range(4)],
        "normal": key.normal(4).tolist(),
    }
