"""Golden values of tests/objectives/golden_test.cpp: an independent implementation in numpy.

    python tests/golden/objectives.py > tests/golden/objectives.json       (needs numpy; seeded, so always the same)

Corruption is given (masks, positions, replacements) and turned into inputs and targets with array arithmetic, the
way the original programs do it; the C++ walks over ids instead. Counts and lengths come from Python's own round
(half to even, float64) and from trying every length.
"""

import json
import math

import numpy as np

from streams import Stream

EOS = 1
VOCABULARY = 32100  # T5's: sentinel i is the id 32099 - i
NOISES = [(0.15, 3.0), (0.15, 8.0), (0.15, 64.0), (0.5, 3.0), (0.5, 8.0), (0.5, 64.0), (0.9, 1.0)]


def runs_to_sentinels(ids, mask):
    """Replaces every run of `mask` by one sentinel, numbered from the left."""
    before = np.concatenate([[False], mask[:-1]])
    first = mask & ~before
    marked = np.where(first, VOCABULARY - np.cumsum(first), ids)
    return marked[~(mask & before)]


def span_case(rng, length, rate):
    ids = rng.integers(2, 32000, length)
    mask = rng.random(length) < rate
    mask[0] = False  # where noise comes first, T5 itself numbers source and target differently
    source = runs_to_sentinels(ids, mask)
    target = runs_to_sentinels(ids, ~mask)
    closing = target
    if mask[-1]:
        closing = np.append(target, VOCABULARY - 1 - (target >= 32000).sum())
    return {
        "ids": ids.tolist(),
        "mask": mask.astype(int).tolist(),
        "source": [*source.tolist(), EOS],
        "target": [*target.tolist(), EOS],
        "closing": [*closing.tolist(), EOS],
        "kept": [*ids[~mask].tolist(), EOS],  # tokens of noise dropped
        "dropped": [*ids[mask].tolist(), EOS],
    }


def masked_case(rng, length):
    """80/10/10 on whole arrays; labels are -100 where there is no loss (Hugging Face's convention)."""
    ids = rng.integers(1000, 30522, length)
    chosen = rng.random(length) < 0.3
    kind = rng.random(length)
    drawn = np.where(kind < 0.8, 103, np.where(kind < 0.9, rng.integers(0, 30522, length), ids))
    return {
        "ids": ids.tolist(),
        "positions": np.flatnonzero(chosen).tolist(),
        "replacements": drawn[chosen].tolist(),
        "input": np.where(chosen, drawn, ids).tolist(),
        "labels": np.where(chosen, ids, -100).tolist(),
    }


def word_case(rng, length):
    """Whole words as create_pretraining_data.py takes them: in a given order, passing over what would be too much."""
    begins = rng.random(length) < 0.6
    begins[0] = True
    words = np.split(np.arange(length), np.flatnonzero(begins)[1:])
    order = rng.permutation(len(words))
    budget = max(1, round(length * 0.3))
    taken = []
    for word in order:
        if len(taken) >= budget:
            break
        if len(taken) + len(words[word]) > budget:
            continue
        taken.extend(words[word].tolist())
    return {
        "begins": begins.astype(int).tolist(),
        "order": order.tolist(),
        "budget": budget,
        "positions": sorted(taken),
    }


def tile_case(rng, length):
    """GPT-BERT's spans: every position has the number of its span, and the smallest numbers are taken until there are
    `count` positions, with all of the last span."""
    sizes = rng.integers(1, 4, length)
    tiles = np.repeat(np.arange(length), sizes)[:length]
    number = rng.permutation(tiles.max() + 1)
    count = max(1, int(length * 0.3 + rng.random()))
    ratio = number[tiles]
    threshold = np.sort(ratio)[count - 1]
    return {
        "tiles": tiles.tolist(),
        "order": np.argsort(number).tolist(),
        "count": count,
        "positions": np.flatnonzero(ratio <= threshold).tolist(),
    }


def rounding_case(rng, length):
    rate, chance = rng.random(2)
    return [length, rate, chance, max(1, round(length * rate)), int(rate * length + chance)]


def scheduled(start, end, step, steps):
    """A straight line from the first step to the last but none: (step - 1) / steps of the way."""
    return start + (end - start) * min(1.0, (step - 1) / steps)


def span_words_case(rng, length):
    """SpanBERT's PairWithSpanMaskingScheme for given draws: sets of positions and merged intervals."""
    begins = rng.random(length) < 0.6
    begins[0] = True
    starts = [*np.flatnonzero(begins).tolist(), length]
    budget = math.ceil(length * 0.15)
    draws = [[int(rng.integers(1, 11)), int(rng.integers(0, length))] for _ in range(400)]
    mask, intervals = set(), []
    for used, (words, anchor) in enumerate(draws):
        if len(mask) >= budget:
            draws = draws[: used + 1]  # one too many: nothing more is hidden
            break
        if anchor in mask:
            continue
        first = max(i for i, start in enumerate(starts) if start <= anchor)
        left = right = starts[first]
        for i in range(left, starts[min(first + words, len(starts) - 1)]):
            if len(mask) >= budget:
                break
            mask.add(i)
            right = i
        intervals.append([left, right])
    merged = []
    for left, right in sorted(intervals):
        if merged and left <= merged[-1][1] + 1:
            merged[-1][1] = max(merged[-1][1], right)
        else:
            merged.append([left, right])
    assert len(mask) == sum(right - left + 1 for left, right in merged)
    return {"begins": begins.astype(int).tolist(), "draws": draws, "spans": merged, "positions": sorted(mask)}


def counts(length, density, mean_length):
    noise = min(max(round(length * density), 1), length - 1)
    spans = max(round(noise / mean_length), 1)
    return noise, min(spans, noise, length - noise)


def google_counts(length, density, mean_length):
    """random_spans_noise_mask of Google's T5: TensorFlow computes in float32."""
    noise = int(np.round(np.float32(length) * np.float32(density)))
    noise = min(max(noise, 1), length - 1)
    spans = max(int(np.round(np.float32(noise) / np.float32(mean_length))), 1)
    return noise, min(spans, noise, length - noise)


def hf_counts(length, density, mean_length):
    """random_spans_noise_mask of Hugging Face's run_t5_mlm_flax.py."""
    noise = int(np.round(length * density))
    kept = length - noise
    noise = min(max(noise, 1), length - 1)
    spans = max(int(np.round(min(noise, kept) / mean_length)), 1)
    return noise, min(spans, noise, length - noise)


def source_and_target(length, density, mean_length):
    noise, spans = counts(length, density, mean_length)
    return length - noise + spans + 1, noise + spans + 1


UL2 = [("r_3_15", 0.15, 3), ("r_8_15", 0.15, 8), ("x_3_50", 0.5, 3), ("x_8_50", 0.5, 8), ("x_64_15", 0.15, 64),
       ("x_64_50", 0.5, 64)]
MODE = 4  # ids that stand before a source


def longest_text(fits):
    raw = 1
    while fits(raw + 1):
        raw += 1
    return raw


def ul2_windows(limit, joined):
    """The longest text of each denoiser of UL2 (the last: of the rest of a text), by trying every length."""
    def window(density, mean_length):
        def lengths(raw):
            noise, spans = google_counts(raw, density, mean_length)
            return raw - noise + spans + 1, noise + spans + 1

        raw = longest_text(lambda raw: MODE + (sum(lengths(raw)) if joined else lengths(raw)[0]) <= limit)
        source, target = lengths(raw)
        return raw - 1 if not joined and density == 0.5 and target > source else raw

    rest = (lambda raw: MODE + raw + 2 <= limit) if joined else (lambda raw: MODE + raw <= limit)
    return [*(window(density, mean) for _, density, mean in UL2), longest_text(rest)]


def middle_case(rng, length):
    """Fill in the middle: <PRE> 32099, <SUF> 32098, <MID> 32097."""
    ids = rng.integers(2, 32000, length)
    first, last = np.sort(rng.integers(0, length + 1, 2))
    prefix, middle, suffix = (part.tolist() for part in np.split(ids, [first, last]))
    return {
        "prefix": prefix,
        "middle": middle,
        "suffix": suffix,
        "psm": [32099, *prefix, 32098, *suffix, 32097, *middle, EOS],
        "spm": [32099, 32098, *suffix, 32097, *prefix, *middle, EOS],
    }


MASK, FULL_STOP = 4, 9


def bart_infilled(ids, begins, starts, lengths, fillers):
    """fairseq's add_whole_word_mask for given spans: all of them grow together, a token at a time."""
    out, keep = ids.copy(), np.ones(len(ids), bool)
    begins = np.append(begins, 255)  # spans do not leave the text
    out[starts] = fillers
    where, left = starts.copy(), lengths - 1
    while where.size:
        left = left - begins[where + 1]
        where, left = where[left >= 0] + 1, left[left >= 0]
        keep[where] = False
    return out[keep]


def bart_case(rng, length):
    ids = rng.integers(10, 60, length)
    ids[rng.random(length) < 0.2] = FULL_STOP
    stops = ids == FULL_STOP
    ends = [i + 1 for i in range(length) if stops[i] and (i == 0 or not stops[i - 1])]
    ends += [length] if not ends or ends[-1] != length else []
    order = rng.permutation(len(ends))
    parts = np.split(ids, ends[:-1])
    begins = (rng.random(length) < 0.6).astype(int)
    begins[0] = 1
    starts = rng.permutation(np.flatnonzero(begins))[: max(1, length // 6)]
    lengths = rng.integers(1, 4, len(starts))
    fillers = np.where(rng.random(len(starts)) < 0.3, rng.integers(10, 60, len(starts)), MASK)
    places = np.sort(rng.permutation(length + 3)[:3])
    erased = np.sort(rng.permutation(length)[: length // 3])
    inserted = np.full(length + 3, -1)
    inserted[places] = [MASK, 70, MASK]
    inserted[inserted < 0] = ids
    return {
        "ids": ids.tolist(),
        "ends": ends,
        "order": order.tolist(),
        "permuted": np.concatenate([parts[i] for i in order]).tolist(),
        "begins": begins.tolist(),
        "spans": np.stack([starts, lengths, fillers], 1).tolist(),
        "infilled": bart_infilled(ids, begins, starts, lengths, fillers).tolist(),
        "places": places.tolist(),
        "inserted": inserted.tolist(),
        "erased": erased.tolist(),
        "rest": np.delete(ids, erased).tolist(),
    }


def draw_case(rng, rows, ids):
    """The first id at which the running sum of the softmax is over a number; logits are exact in float32. Numbers are
    kept off the borders, where float32 may decide otherwise."""
    logits = rng.integers(-64, 65, (rows, ids)) / 16
    sums = np.cumsum(np.exp(logits) / np.exp(logits).sum(1, keepdims=True), 1)
    shares = rng.random(rows)
    for row in range(rows):
        while np.abs(sums[row] - shares[row]).min() < 1e-5:
            shares[row] = rng.random()
    return {
        "logits": logits.ravel().tolist(),
        "shares": shares.tolist(),
        "ids": (sums <= shares[:, None]).sum(1).tolist(),
    }


CLS, SEP = 101, 102


def truncate_seq_pair(tokens_a, tokens_b, most, rng):
    while len(tokens_a) + len(tokens_b) > most:
        longer = tokens_a if len(tokens_a) > len(tokens_b) else tokens_b
        if rng.random() < 0.5:
            del longer[0]
        else:
            longer.pop()


def second_document(documents, index, rng):
    for _ in range(10):
        other = rng.randint(0, len(documents) - 1)
        if other != index:
            break
    return documents[other]


def sentence_pairs(documents, index, room, in_order, rng):
    """create_instances_from_document of google-research/bert; `in_order`: ALBERT's pairs of the same document instead."""
    document = documents[index]
    target = rng.randint(2, room) if rng.random() < 0.1 else room
    pairs, chunk, i = [], [], 0
    while i < len(document):
        chunk.append(document[i])
        if i == len(document) - 1 or sum(map(len, chunk)) >= target:
            a_end = rng.randint(1, len(chunk) - 1) if len(chunk) >= 2 else 1
            tokens_a, tokens_b, label = sum(chunk[:a_end], []), [], 0
            if in_order:
                tokens_b = sum(chunk[a_end:], [])
                if tokens_b and rng.random() < 0.5:
                    tokens_a, tokens_b, label = tokens_b, tokens_a, 1
            elif len(chunk) == 1 or rng.random() < 0.5:
                label = 1
                other = second_document(documents, index, rng)
                for sentence in other[rng.randint(0, len(other) - 1):]:
                    tokens_b.extend(sentence)
                    if len(tokens_b) >= target - len(tokens_a):
                        break
                i -= len(chunk) - a_end  # what is not used is read again
            else:
                tokens_b = sum(chunk[a_end:], [])
            truncate_seq_pair(tokens_a, tokens_b, room, rng)
            types = [0] * (len(tokens_a) + 2) + [1] * (len(tokens_b) + 1) if tokens_b else []
            ids = [CLS, *tokens_a, SEP, *tokens_b, *([SEP] if tokens_b else [])]
            pairs.append([ids, types, label if tokens_b else -1])
            chunk = []
        i += 1
    return pairs


def sentence_case(rng, sample):
    """Pairs of every document for a stream of lmzoo's own, whose further draws hide ids."""
    documents = [[rng.integers(1000, 30000, rng.integers(1, 14)).tolist() for _ in range(rng.integers(1, 12))]
                 for _ in range(4)]
    room = int(rng.integers(5, 40))
    index = sample % 4
    return {
        "documents": documents,
        "index": index,
        "length": room + 3,
        "sample": sample,
        "next": sentence_pairs(documents, index, room, False, Stream(sample)),
        "order": sentence_pairs(documents, index, room, True, Stream(sample)),
    }


def solved(limit, density, mean_length):
    raw = 2
    while source_and_target(raw + 1, density, mean_length)[0] <= limit:
        raw += 1
    source, target = source_and_target(raw, density, mean_length)
    if density == 0.5 and target > source:
        raw -= 1
    return [limit, raw, *source_and_target(raw, density, mean_length)]


LONGEST = 2048
DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"


def every_length(density, mean_length):
    """Solved lengths of all limits up to LONGEST, as digits of base 36: by how much the text and the target grow from a
    limit to the next, and by how much the source stays below its limit."""
    texts = []
    raw = 2
    for limit in range(4, LONGEST + 1):
        while source_and_target(raw + 1, density, mean_length)[0] <= limit:
            raw += 1
        source, target = source_and_target(raw, density, mean_length)
        fits = raw - 1 if density == 0.5 and target > source and raw > 2 else raw
        source, target = source_and_target(fits, density, mean_length)
        texts.append((fits, limit - source, target))
    steps = [(b[0] - a[0], b[1], b[2] - a[2]) for a, b in zip([(0, 0, 0), *texts], texts)]
    assert min(map(min, steps)) >= 0
    raws, slacks, targets = ("".join(DIGITS[digit] for digit in column) for column in zip(*steps))
    return {"density": density, "mean_length": mean_length, "raw": raws, "slack": slacks, "target": targets}


def main():
    rng = np.random.default_rng(20)
    lengths = [*range(2, 64), 127, 128, 190, 350, 390, 511, 568, 670, 1000, 1137, 2000]
    # Small sources make the corners; 2 ids never fit below 3.
    limits = [*range(4, 40), 64, 100, 128, 185, 186, 256, 403, 404, 512, 907, 1024, 1810]
    golden = {
        "spans": [span_case(rng, int(n), r) for n in (2, 3, 5, 8, 20, 60) for r in (0.15, 0.3, 0.5, 0.8)],
        "masked": [masked_case(rng, n) for n in (1, 4, 16, 40)],
        "words": [word_case(rng, n) for n in (1, 2, 5, 12, 40, 100)],
        "tiles": [tile_case(rng, n) for n in (1, 2, 5, 12, 40, 100)],
        "roundings": [rounding_case(rng, n) for n in range(1, 200, 3)],
        "word_spans": [span_words_case(rng, n) for n in (1, 2, 7, 20, 64, 126, 126, 126)],
        "schedules": [[step, scheduled(0.3, 0.15, step, 250)] for step in (1, 2, 17, 125, 126, 250, 251, 900)],
        "counts": [
            {"density": d, "mean_length": m, "values": [[n, *counts(n, d, m)] for n in lengths]} for d, m in NOISES
        ],
        "rules": [
            {"rule": name, "density": d, "mean_length": m, "values": [[n, *rule(n, d, m)] for n in lengths]}
            for name, rule in (("t5-google", google_counts), ("t5-hf", hf_counts))
            for d, m in NOISES
        ],
        "ul2": [
            {"joined": joined, "values": [[n, *ul2_windows(n, joined)] for n in (32, 64, 128, 200, 256, 512)]}
            for joined in (False, True)
        ],
        "bart": [bart_case(rng, n) for n in (1, 2, 6, 12, 30, 60)],
        "middles": [middle_case(rng, n) for n in (1, 2, 5, 9, 30)],
        "draws": [draw_case(np.random.default_rng(ids), 40, ids) for ids in (1, 2, 5, 17, 50)],
        "every_length": [every_length(d, m) for d, m in NOISES],
        "lengths": [
            {"density": d, "mean_length": m, "values": [solved(limit, d, m) for limit in limits]} for d, m in NOISES
        ],
        "sentences": [sentence_case(rng, sample) for sample in range(24)],
    }
    print(json.dumps(golden, separators=(",", ":")).replace('},{', '},\n{'))


if __name__ == "__main__":
    main()
