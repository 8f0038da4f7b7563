#!/usr/bin/env bash
# Proves docs/add-a-model.md and docs/add-an-objective.md: puts their files into a copy of the tree, builds it and trains
# both YAMLs; the loss must fall. Where a mount namespace is allowed, the copy is seen at the place of the tree itself and
# takes the release build along, so that only what the new files change is compiled; elsewhere it is built anew.
set -euo pipefail
if [ "${1:-}" != --here ]; then
  source_tree=$(cd "$(dirname "$0")/../.." && pwd)
  copy=$(mktemp -d)
  trap 'rm -rf "$copy"' EXIT
  cd "$source_tree"
  git ls-files -z --cached --others --exclude-standard | xargs -0 cp -a --parents -t "$copy"
  if unshare -rm true 2>/dev/null; then
    [ ! -d build/release ] || cp -a --parents build/release "$copy"
    mkdir "$copy/.venv"
    # shellcheck disable=SC2016
    unshare -rm bash -euc '
      [ ! -d "$1/.venv" ] || mount --rbind "$1/.venv" "$2/.venv"
      mount --rbind "$2" "$1"
      cd "$1"
      tests/docs/prove.sh --here' _ "$source_tree" "$copy"
  else
    [ ! -e .venv ] || ln -s "$source_tree/.venv" "$copy/.venv"
    cd "$copy"
    tests/docs/prove.sh --here
  fi
  exit
fi

python3 - docs/add-a-model.md docs/add-an-objective.md <<'PYTHON'
import pathlib, re, sys
for document in sys.argv[1:]:
    blocks = re.findall(r"^```\w+ (\S+/\S+)\n(.*?)^```$", pathlib.Path(document).read_text(), re.S | re.M)
    assert len(blocks) == 2, f"{document}: expected a source and a YAML, found {[name for name, _ in blocks]}"
    for name, text in blocks:
        assert not pathlib.Path(name).exists(), f"{document}: {name} is there already"
        pathlib.Path(name).write_text(text)
PYTHON
cmake --preset release >/dev/null
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
