"""Files of tests/golden/metrics/: seeded random and hostile cases, and what the reference implementations say.

    python tests/golden/metrics.py TRANSFORMERS_4_WHEEL

needs scikit-learn, scipy, seqeval, rouge_score, sacrebleu and torchmetrics. The wheel of transformers 4 has the only
packaged form of SQuAD 2.0's official script (transformers/data/metrics/squad_metrics.py, gone since 5), which is read
from it without being installed: pip download --no-deps transformers==4.57.1.
What is not a number is null.
"""

import json
import math
import pathlib
import random
import sys
import types
import warnings
import zipfile

import numpy as np
import sacrebleu
import scipy.stats
import seqeval.metrics
import seqeval.scheme
import sklearn.metrics as sk
from nltk.stem.porter import PorterStemmer
from rouge_score import rouge_scorer, tokenize
from sacrebleu.significance import PairedTest
from torchmetrics.functional.text import squad as squad_of_torchmetrics

FOLDER = pathlib.Path(__file__).parent / "metrics"
WORDS = """a an the A The THE old owl runs after foxes running happily nationalization isn't it's 3.14 1,000 2-3 e.g. U.S.
straße ÉCOLE naïve İstanbul ΣΟΦΟΣ Kelvin 日本 語 ½ x² ٣ 😀 don’t « quoted » “so” — – … a.b a-b a_b the-end (an) [the] &amp; &lt;b&gt;
<skipped> 50% $5 #1 C++ and/or \u00a0 \u2003 ﬁne co\u0301te Ⅷ ᾳ ǅ""".split(" ")


def plain(value):
    """JSON of numbers and their lists: null for what is no number."""
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple, np.ndarray)):
        return [plain(item) for item in value]
    if isinstance(value, (float, np.floating)):
        return float(value) if math.isfinite(value) else None
    return value.item() if isinstance(value, np.generic) else value


def write(name, content):
    with open(FOLDER / f"{name}.json", "w", encoding="utf-8") as out:
        json.dump(plain(content), out, ensure_ascii=False, separators=(",", ":"))
        out.write("\n")


def text(rng, low, high):
    words = [rng.choice(WORDS) for _ in range(rng.randint(low, high))]
    return "".join(word + rng.choice([" ", " ", " ", "  ", "", "\n", ". ", ", ", "- "]) for word in words)


def changed(rng, original, rate=0.3):
    words = original.split(" ")
    return " ".join(rng.choice(WORDS) if rng.random() < rate else word for word in words if rng.random() > 0.05)


def prf(truth, predicted, **how):
    p, r, f, _ = sk.precision_recall_fscore_support(truth, predicted, zero_division=0, **how)
    return [p, r, f]


def classification():
    rng = np.random.default_rng(1)
    cases = [([0, 1, 1, 0], [0, 1, 0, 0]), ([1], [1]), ([0], [1]), ([0, 0, 0], [0, 0, 0]), ([1, 1, 1], [0, 0, 0]),
             ([2, 2, 1], [0, 0, 0]), ([5, -1, 5], [-1, 5, 5])]
    for classes in (2, 2, 3, 5, 9):
        for n in (2, 7, 60):
            truth = rng.integers(0, classes, n)
            predicted = np.where(rng.random(n) < 0.6, truth, rng.integers(0, classes, n))
            cases.append((truth, predicted))
    single = []
    for truth, predicted in cases:
        labels = sorted(set(map(int, truth)) | set(map(int, predicted)))
        p, r, f, s = sk.precision_recall_fscore_support(truth, predicted, zero_division=0)
        single.append(dict(truth=truth, predicted=predicted, accuracy=sk.accuracy_score(truth, predicted),
                           binary=prf(truth, predicted, labels=[1], average="macro"),
                           micro=prf(truth, predicted, average="micro"), macro=prf(truth, predicted, average="macro"),
                           weighted=prf(truth, predicted, average="weighted"), mcc=sk.matthews_corrcoef(truth, predicted),
                           classes=[[c, *row] for c, *row in zip(labels, p, r, f, s)]))
    curves = []
    for truth, scores in [([0, 1], [0.2, 0.8]), ([0, 1], [0.5, 0.5]), ([1, 1], [0.5, 0.1]), ([0, 0], [0.5, 0.1]),
                          ([0, 1, 1, 0, 1], [3, 3, 3, 3, 3])] + [
                              (rng.integers(0, 2, n), np.round(rng.normal(size=n), digits)) for n in (5, 40, 100)
                              for digits in (0, 1, 9)]:
        curves.append(dict(truth=truth, scores=scores, roc_auc=sk.roc_auc_score(truth, scores),
                           average_precision=sk.average_precision_score(truth, scores)))
    several = []
    for labels, n, rate in [(1, 3, 0.5), (3, 1, 0.5), (4, 20, 0.4), (4, 20, 0), (6, 50, 0.1), (2, 10, 1)]:
        truth = (rng.random((n, labels)) < rate).astype(int)
        predicted = np.where(rng.random((n, labels)) < 0.8, truth, 1 - truth)
        several.append(dict(labels=labels, truth=truth.ravel(), predicted=predicted.ravel(),
                            subset_accuracy=(truth == predicted).all(1).mean(),
                            hamming_loss=(truth != predicted).mean(),
                            **{how: prf(truth, predicted, average=how) if labels > 1 else None
                               for how in ("micro", "macro", "weighted", "samples")}))
    write("classification", dict(single=single, curves=curves, several=several))


def correlation():
    rng = np.random.default_rng(2)
    cases = [([1, 2, 3], [1, 2, 3]), ([1, 2, 3], [3, 2, 1]), ([0.1] * 10, list(range(10))), ([1, 2], [5, 5]),
             ([1, 1, 2, 2], [1, 2, 2, 1]), ([1e200, 2e200, 4e200], [1, 2, 3]), ([1, 2], [0, 1e-300])]
    for n in (2, 5, 50, 200):
        for digits in (0, 1, 12):
            a = rng.normal(size=n)
            cases.append((np.round(a, digits), np.round(0.5 * a + rng.normal(size=n), digits)))
    cases.append((1e6 + np.arange(20), rng.normal(size=20)))
    write("correlation", [dict(a=a, b=b, pearson=scipy.stats.pearsonr(a, b)[0], spearman=scipy.stats.spearmanr(a, b)[0])
                          for a, b in cases])


def squad_metrics(wheel):
    """The module of the wheel, in the package that is installed."""
    import transformers
    module = types.ModuleType("transformers.data.metrics.squad_metrics")
    source = zipfile.ZipFile(wheel).read("transformers/data/metrics/squad_metrics.py").decode()
    module.BasicTokenizer = module.logging = None  # only for what is not used here
    kept = [line for line in source.split("\n") if not line.startswith(("from ...", "logger ="))]
    exec(compile("\n".join(kept), "squad_metrics.py", "exec"), module.__dict__)
    assert transformers.__version__
    return module


def question_answering(official):
    rng = random.Random(3)
    pairs = [("", ""), ("", "an owl"), ("an owl", ""), ("the", ""), ("the", "a"), ("A cat.", "cat"), ("a-b", "b"),
             ("a_b", "b"), ("ΣΟΦΟΣ", "σοφος"), ("ΣΟΦΟΣ", "σοφοσ"), ("İ", "i"), ("x x y", "x y y"), ("...", "!"),
             ("theatre", "atre"), ("\u00a0the\u2003owl", "owl"), ("ǅ", "ǆ"), ("½ a½ ½a", "½"), ("e\u0301 a\u0301", "e\u0301")]
    for _ in range(60):
        original = text(rng, 0, 6)
        pairs.append((changed(rng, original), original))
    scored = [dict(predicted=p, truth=t, normalized=official.normalize_answer(p), exact=official.compute_exact(t, p),
                   f1=official.compute_f1(t, p)) for p, t in pairs]

    class Question:
        def __init__(self, key, answers):
            self.qas_id, self.answers = key, [dict(text=answer) for answer in answers]

    sets = []
    for n, unanswerable in [(1, 0), (1, 1), (12, 0), (12, 0.4), (40, 0.3), (10, 1)]:
        questions, predictions, silence = [], {}, {}
        for i in range(n):
            answers = [] if rng.random() < unanswerable else [text(rng, 1, 4) for _ in range(rng.randint(1, 3))]
            guess = "" if rng.random() < 0.3 else changed(rng, answers[0] if answers else text(rng, 1, 3), 0.2)
            questions.append(Question(str(i), answers))
            predictions[str(i)], silence[str(i)] = guess, round(rng.random(), 1)
        base = dict(official.squad_evaluate(questions, predictions))
        best = dict(official.squad_evaluate(questions, predictions, silence, 0.5))
        sets.append(dict(truth=[[a["text"] for a in q.answers] for q in questions], predicted=list(predictions.values()),
                         no_answer=list(silence.values()), final=base, thresholded=best))
    old = []
    for n in (1, 9):
        truth = [[text(rng, 2, 5) for _ in range(rng.randint(1, 3))] for _ in range(n)]
        guesses = [changed(rng, answers[0]) for answers in truth]
        result = squad_of_torchmetrics(
            [dict(id=str(i), prediction_text=guess) for i, guess in enumerate(guesses)],
            [dict(id=str(i), answers=dict(answer_start=[0] * len(a), text=a)) for i, a in enumerate(truth)])
        old.append(dict(truth=truth, predicted=guesses, **{key: value.item() for key, value in result.items()}))
    write("question_answering", dict(pairs=scored, sets=sets, version1=old))


def entities():
    rng = random.Random(4)
    schemes = dict(iob1="IOB", iob2="IOB", ioe1="IOE", ioe2="IOE", iobes="IOBES", bilou="BILOU")
    cases = []
    for scheme, letters in [(None, "BIESO"), (None, "BIO"), *schemes.items()]:
        for sentences, longest, kinds in [(1, 1, ["PER"]), (3, 6, ["PER", "LOC"]), (15, 12, ["PER", "LOC", "MISC-x"]),
                                          (4, 5, [""])]:
            def tag():
                letter = rng.choice(letters + "O")
                kind = rng.choice(kinds)
                return letter if letter == "O" or not kind else f"{letter}-{kind}"

            truth, predicted = [], []
            for _ in range(sentences):
                tags = [tag() for _ in range(rng.randint(1, longest))]
                truth.append(tags)
                predicted.append([t if rng.random() < 0.7 else tag() for t in tags])
            options = {} if scheme is None else dict(mode="strict", scheme=getattr(seqeval.scheme, scheme.upper()))
            scores = {}
            for how in ("micro", "macro", "weighted"):
                scores[how] = [score(truth, predicted, average=how, zero_division=0, **options)
                               for score in (seqeval.metrics.precision_score, seqeval.metrics.recall_score,
                                             seqeval.metrics.f1_score)]
            if scheme is None:
                found = [[[kind, begin, end + 1] for kind, begin, end in seqeval.metrics.sequence_labeling.get_entities(tags)]
                         for tags in predicted]
            else:
                found = [[[e.tag, e.start, e.end] for e in seqeval.scheme.Tokens(tags, options["scheme"]).entities]
                         for tags in predicted]
            cases.append(dict(scheme=scheme, truth=truth, predicted=predicted, found=found,
                              accuracy=seqeval.metrics.accuracy_score(truth, predicted), **scores))
    write("seqeval", cases)


def rouge():
    rng = random.Random(5)
    pairs = [("", ""), ("", "an owl"), ("an owl", ""), ("日本", "日本"), ("a\nb\n\nc", "c\nb"), ("x y x y x", "y x y"),
             ("a b c\nb d", "b a d\nc"), ("İKEA Kelvin", "i̇kea kelvin"), ("running runs", "run ran"), ("...", "!")]
    for n in (3, 3, 10, 10, 30):
        original = text(rng, n, 2 * n)
        pairs.append((original, changed(rng, original, 0.2)))
    for _ in range(6):
        original = "\n".join(" ".join(rng.choice("abcde") for _ in range(rng.randint(0, 8))) for _ in range(3))
        pairs.append((original, "\n".join(" ".join(rng.choice("abcde") for _ in range(7)) for _ in range(3))))
    kinds = ["rouge1", "rouge2", "rougeL", "rougeLsum"]
    scored = []
    for truth, predicted in pairs:
        case = dict(truth=truth, predicted=predicted, words=tokenize.tokenize(truth, None))
        for key, stemmer in (("plain", False), ("stemmed", True)):
            scores = rouge_scorer.RougeScorer(kinds, use_stemmer=stemmer).score(truth, predicted)
            case[key] = [list(scores[kind]) for kind in kinds]
        scored.append(case)
    several = []
    for _ in range(4):
        truths = [text(rng, 3, 12) for _ in range(3)]
        predicted = changed(rng, truths[1], 0.3)
        scores = rouge_scorer.RougeScorer(kinds).score_multi(truths, predicted)
        several.append(dict(truths=truths, predicted=predicted, scores=[list(scores[kind]) for kind in kinds]))
    roots = """relat condit ration val hesit digit conform radic different vile analog vietnam predic oper feud decis hope call
    form sens triplic electr good reviv allow infer air gyroscop adjust irrit replac adopt homolog commun activ angular effect
    bowdler prob ceas controll roll hopp tann fall hiss fizz fail fil troubl siz plaster motor sky dy ly ty enjoy spy fl happ
    syzyg y yy ay oy ey b ab cab xyz cares pon cat agr fe bl s ss sess ies ies2 biolog ped full use1 succeed canning""".split()
    endings = """ s es ies sses ed eed ied ing ying y ly al ally ational tional enci anci izer bli abli alli entli eli ousli
    ization ation ator alism iveness fulness ousness aliti iviti biliti fulli logi icate ative alize iciti ical ful ness ance
    ence er ic able ible ant ement ment ent ion sion tion ou ism ate iti ous ive ize e ee ll lle""".split(" ")
    stem = PorterStemmer().stem
    made = sorted({(root + ending).strip() for root in roots for ending in endings})
    words = ["skies", "dying", "lying", "tying", "news", "innings", "outing", "cannings", "howe", "proceed", "exceed"]
    words += rng.sample(made, 1500)
    write("rouge", dict(pairs=scored, several=several, stems=[[word, stem(word)] for word in words]))


def bleu():
    rng = random.Random(6)
    sets = [(["the owl runs after the fox"], [["the owl runs after the fox"]]), ([""], [["the owl"]]), (["the owl"], [[""]]),
            (["x"], [["y"]]), (["x"], [["x"]]), (["a b c d e"], [["a b c d", "a b c d e f"]]), ([" . . , ,, 1.2.3 "], [["..."]]),
            (["x-\ny z\n&amp;lt; <skipped>-1-2"], [["xy z &lt;"]])]
    for n, references in [(1, 1), (1, 2), (6, 1), (12, 3)]:
        truth = [[text(rng, 4, 14) for _ in range(references)] for _ in range(n)]
        sets.append(([changed(rng, texts[0], 0.25) for texts in truth], truth))
    sets.append((["short one", "an old owl sleeps here", ""], [["a short one"], ["the old owl sleeps here", "an owl"], ["x"]]))
    cases = []
    for predicted, truth in sets:
        width = max(map(len, truth))
        streams = [[texts[i] if i < len(texts) else None for texts in truth] for i in range(width)]
        case = dict(predicted=predicted, truth=truth, scores=[], chrf=[])
        for tokenizer in ("13a", "intl", "char", "none"):
            metric = sacrebleu.BLEU(tokenize=tokenizer)
            case[tokenizer] = [metric._preprocess_segment(line).split() for line in predicted]
            for smoothing, value in [("exp", None), ("floor", None), ("floor", 0.01), ("add-k", None), ("add-k", 2), ("none", None)]:
                for effective, lowercase in [(False, False), (True, True)]:
                    if smoothing != "exp" and tokenizer != "13a":
                        continue
                    metric = sacrebleu.BLEU(tokenize=tokenizer, smooth_method=smoothing, smooth_value=value,
                                            effective_order=effective, lowercase=lowercase)
                    score = metric.corpus_score(predicted, streams)
                    signature = str(metric.get_signature()).rsplit("|version", 1)[0]
                    case["scores"].append([tokenizer, smoothing, value, effective, lowercase, score.score, score.precisions,
                                           score.bp, signature])
        case["sentences"] = [sacrebleu.sentence_bleu(p, t).score for p, t in zip(predicted, truth)]
        for options in (dict(), dict(word_order=2), dict(lowercase=True, beta=1, char_order=4)):
            case["chrf"].append([options, sacrebleu.CHRF(**options).corpus_score(predicted, streams).score])
        cases.append(case)
    write("bleu", cases)


def bootstrap():
    rng = random.Random(7)
    draws = []
    for seed, n in [(12345, 7), (0, 1000), (2**63 + 5, 3), (7, 1), (1, 2**31)]:
        generator = np.random.default_rng(seed)
        draws.append(dict(seed=str(seed), n=n, below=generator.choice(n, size=(4, 5), replace=True).ravel(),
                          bits=np.random.default_rng(seed).integers(2, size=(2, 40), dtype=bool).ravel().astype(int)))
    tests = []
    for n, rates in [(30, (0.4, 0.3)), (30, (0.5, 0.05)), (5, (0.3, 0.3))]:
        truth = [text(rng, 6, 14) for _ in range(n)]
        systems = [[changed(rng, line, rate) for line in truth] for rate in rates]
        result = dict(truth=truth, first=systems[0], second=systems[1])
        for kind, samples in (("bs", 200), ("ar", 200)):
            metrics = dict(bleu=sacrebleu.BLEU(), chrf=sacrebleu.CHRF())
            _, scores = PairedTest([("a", systems[0]), ("b", systems[1])], metrics, [truth], kind, samples)()
            result[kind] = {key: [scores[name][0].score, scores[name][1].score, scores[name][1].p_value]
                            for key, name in (("bleu", "BLEU"), ("chrf", "chrF2"))}
        tests.append(result)
    write("bootstrap", dict(draws=draws, tests=tests))


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    FOLDER.mkdir(exist_ok=True)
    classification()
    correlation()
    question_answering(squad_metrics(sys.argv[1]))
    entities()
    rouge()
    bleu()
    bootstrap()
