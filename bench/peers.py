"""What the benchmarks against Hugging Face share: the peer's pinned environment, and how it is tuned."""
import glob
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
PINNED = ["torch==2.13.0", "transformers==5.23.0", "accelerate==1.15.0"]


def peer_python():
    python = ROOT / ".venv-peer/bin/python"
    mark = ROOT / ".venv-peer/complete"
    if not mark.exists():
        print("making .venv-peer (5 GB): " + " ".join(PINNED), file=sys.stderr)
        subprocess.run([sys.executable, "-m", "venv", str(ROOT / ".venv-peer")], check=True)
        subprocess.run([python, "-m", "pip", "install", "--quiet", *PINNED, "numpy", "safetensors"], check=True)
        mark.touch()
    return str(python)


def tuned_environment(folder):
    switch = folder / "mkl_switch.so"
    subprocess.run(["cc", "-shared", "-fPIC", "-o", str(switch), str(ROOT / "bench/vs_transformers/mkl_switch.c")], check=True)
    tcmalloc = sorted(glob.glob("/usr/lib/*/libtcmalloc_minimal.so*"))
    if not tcmalloc:
        sys.exit("the tuned peer needs libtcmalloc_minimal; `make setup` installs it")
    return {"LD_PRELOAD": f"{switch}:{tcmalloc[0]}"}


def cpu():
    for line in open("/proc/cpuinfo"):
        if line.startswith("model name"):
            return line.split(":")[1].strip()
    return "unknown CPU"
