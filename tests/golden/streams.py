"""The random streams of base/rng.h, for oracles that draw what lmzoo draws: Philox4x32-10 (Salmon et al., SC 2011) under a
key mixed by splitmix64's finalizer, and Lemire's integers below n (TOMACS 2019, algorithm 5)."""

WORD, LONG = (1 << 32) - 1, (1 << 64) - 1
CORRUPTION = 1  # Purpose::corruption


def mix(z):
    z = (z + 0x9E3779B97F4A7C15) & LONG
    z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & LONG
    z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & LONG
    return z ^ (z >> 31)


def philox(c, k):
    for _ in range(10):
        a, b = 0xD2511F53 * c[0], 0xCD9E8D57 * c[2]
        c = [(b >> 32) ^ c[1] ^ k[0], b & WORD, (a >> 32) ^ c[3] ^ k[1], a & WORD]
        k = [(k[0] + 0x9E3779B9) & WORD, (k[1] + 0xBB67AE85) & WORD]
    return c


class Stream:
    """With the calls of Python's random.Random that the original programs make."""

    def __init__(self, sample, seed=1, epoch=0, purpose=CORRUPTION):
        h = mix(seed)
        for value in (epoch + 0x1000, sample + 0x2000, purpose + 0x3000):
            h = mix(h ^ mix(value))
        self.key, self.nonce, self.block, self.ready = [h & WORD, h >> 32], mix(h), 0, []

    def bits(self):
        if not self.ready:
            w = philox([self.block & WORD, self.block >> 32, self.nonce & WORD, self.nonce >> 32], self.key)
            self.ready = [w[0] | w[1] << 32, w[2] | w[3] << 32]
            self.block += 1
        return self.ready.pop()

    def random(self):
        return (self.bits() >> 11) * 2.0**-53

    def randint(self, low, high):
        n = high - low + 1
        product = self.bits() * n
        while product & LONG < n and product & LONG < (-n & LONG) % n:
            product = self.bits() * n
        return low + (product >> 64)
