#!/usr/bin/env bash
# Proves docs/add-a-model.md and docs/add-an-objective.md: puts their files into a copy of the tree, builds it (from the
# compiler cache, where there is one) and trains both YAMLs; the loss must fall.
set -euo pipefail
source_tree=$(cd "$(dirname "$0")/../.." && pwd)
copy=$(mktemp -d)
trap 'rm -rf "$copy"' EXIT

cd "$source_tree"
git ls-files -z --cached --others --exclude-standard | xargs -0 cp --parents -t "$copy"
cd "$copy"
python3 - docs/add-a-model.md docs/add-an-objective.md <<'PYTHON'
import pathlib, re, sys
for document in sys.argv[1:]:
    blocks = re.findall(r"^```\w+ (\S+/\S+)\n(.*?)^```$", pathlib.Path(document).read_text(), re.S | re.M)
    assert len(blocks) == 2, f"{document}: expected a source and a YAML, found {[name for name, _ in blocks]}"
    for name, text in blocks:
        pathlib.Path(name).write_text(text)
PYTHON
# As a part of the copy: a path outside of it would be another key of the compiler cache.
[ ! -e "$source_tree/.venv" ] || ln -s "$source_tree/.venv" .venv
cmake --preset release -DBUILD_TESTING=OFF >/dev/null
cmake --build --preset release --target lmzoo >/dev/null
for name in bigram reversal; do
  build/release/lmzoo plan configs/debug/$name.yaml >/dev/null
  build/release/lmzoo train configs/debug/$name.yaml --out runs/$name 2>/dev/null
  python3 - "$name" runs/$name/metrics.jsonl <<'PYTHON'
import json, sys
losses = [row["loss"] for row in map(json.loads, open(sys.argv[2])) if row["kind"] == "train"]
print(f"{sys.argv[1]}: loss {losses[0]:.3f} -> {losses[-1]:.3f}")
sys.exit(losses[-1] > 0.8 * losses[0])
PYTHON
done
echo "2 passed, 0 failed"
