#!/usr/bin/env python3
"""What each part of lmzoo's CPU set-up is worth: whole training steps with it and without it, in turns.

    bench/cpu_setup/run.py LMZOO [--rounds 3] [--steps 12] [--configs FILE...]

oneMKL's AVX-512 code (LMZOO_MKL_DISPATCH=off), tcmalloc (a preloaded glibc malloc), flush-to-zero
(LMZOO_FLUSH_DENORMALS=off), two threads (one), short spinning at barriers (GOMP_SPINCOUNT at libgomp's default). A ratio
is milliseconds without / milliseconds with; median and range over the rounds.
"""
import argparse
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
STEPS = HERE.parent / "vs_transformers"


def step_ms(lmzoo, config, precision, steps, environment, arguments):
    command = [lmzoo, "bench", "step", config, "--steps", str(steps), "--json", "--set", f"train.precision={precision}", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, env={**os.environ, **environment})
    if done.returncode != 0:
        sys.exit(f"{' '.join(map(str, command))}: {done.stderr.strip()}")
    return json.loads(done.stdout)["step_ms"]


def switches(folder):
    shim = folder / "glibc_malloc.so"
    subprocess.run(["cc", "-O2", "-shared", "-fPIC", "-o", shim, HERE / "glibc_malloc.c"], check=True)
    return {
        "oneMKL AVX-512": ({"LMZOO_MKL_DISPATCH": "off"}, []),
        "tcmalloc": ({"LD_PRELOAD": str(shim)}, []),
        "flush-to-zero": ({"LMZOO_FLUSH_DENORMALS": "off"}, []),
        "two threads": ({}, ["--threads", "1"]),
        "short spinning": ({"GOMP_SPINCOUNT": "300000"}, []),
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("lmzoo")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--steps", type=int, default=12)
    parser.add_argument("--configs", nargs="+", default=[str(STEPS / f"{family}.yaml") for family in ("bert", "gpt")])
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        for config in args.configs:
            for precision in ("fp32", "bf16"):
                ratios = {}
                for _ in range(args.rounds):
                    on = step_ms(args.lmzoo, config, precision, args.steps, {}, ["--threads", "2"])
                    for switch, (environment, arguments) in switches(pathlib.Path(name)).items():
                        off = step_ms(args.lmzoo, config, precision, args.steps, environment, arguments or ["--threads", "2"])
                        ratios.setdefault(switch, []).append(off / on)
                for switch, values in ratios.items():
                    print(f"{pathlib.Path(config).stem} {precision}  {switch:15s} {statistics.median(values):.2f} "
                          f"({min(values):.2f}-{max(values):.2f})", flush=True)


if __name__ == "__main__":
    main()
