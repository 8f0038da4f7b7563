#!/usr/bin/env python3
"""What building costs, in CPU seconds of the compiler: a quiet machine with N cores takes about an N-th of them.

tools/build_times.py [TARGET...] [-- CMAKE_ARGUMENT...]
    by folder and by unit, and the seconds that it took this machine. Builds the targets (default: lmzoo) from nothing, without the compiler cache, in build/times:
    as newcomers do, or with `-- -DCMAKE_UNITY_BUILD=OFF` a unit at a time.
tools/build_times.py --headers
    of sets of headers: made a precompiled header, and loaded by a unit that holds nothing else.
"""
import collections
import json
import os
import pathlib
import resource
import shlex
import shutil
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
BUILD = ROOT / "build" / "times"
LOG = BUILD / "compiled.tsv"


def compile_unit(command):
    """As a compiler launcher: runs the compiler and notes what it took and which file it made."""
    status = subprocess.run(command).returncode
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    with open(LOG, "a") as log:  # a line at once: appending is atomic
        log.write(f"{used.ru_utime + used.ru_stime:.3f}\t{used.ru_maxrss // 1024}\t{command[command.index('-o') + 1]}\n")
    return status


def folder_of(output):
    """nn of CMakeFiles/lmzoo_nn.dir/..., tests/io of tests/CMakeFiles/test_io.dir/..."""
    before, _, after = output.partition("CMakeFiles/")
    name = after.split(".dir/")[0]
    return before + name.removeprefix("lmzoo_").removeprefix("test_")


def report():
    folders = collections.defaultdict(list)
    for line in LOG.read_text().splitlines():
        seconds, megabytes, output = line.split("\t")
        folders[folder_of(output)].append((float(seconds), int(megabytes), output))
    print(f"{'folder':<24}{'units':>6}{'CPU s':>9}{'s/unit':>8}{'peak MB':>9}  slowest unit")
    for folder, units in sorted(folders.items(), key=lambda item: -sum(unit[0] for unit in item[1])):
        total = sum(unit[0] for unit in units)
        slowest = max(units)
        name = slowest[2].partition(".dir/")[2].removesuffix(".o")
        print(f"{folder:<24}{len(units):>6}{total:>9.1f}{total / len(units):>8.1f}{max(unit[1] for unit in units):>9}"
              f"  {name} {slowest[0]:.1f} s")
    every = [unit for units in folders.values() for unit in units]
    print(f"{'all':<24}{len(every):>6}{sum(unit[0] for unit in every):>9.1f}")


COMMON = "fmt/core.h nlohmann/json.hpp algorithm functional map memory optional span string vector"
HEADERS = {
    "the standard library": "algorithm functional map memory optional span string vector",
    "and fmt, nlohmann/json: rooms without tensors": COMMON,
    "ATen/core/Tensor.h": "ATen/core/Tensor.h",
    "core/tensor.h and the common ones: rooms with tensors": f"ATen/TensorOperators.h ATen/core/Tensor.h ATen/core/grad_mode.h {COMMON}",
    "torch/nn/module.h, as before decision 006": f"torch/csrc/autograd/custom_function.h torch/nn/module.h {COMMON}",
}


def cpu_seconds(command):
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def flags_with_torch():
    """Of a unit of core, without the files and the precompiled header."""
    subprocess.run(["cmake", "--preset", "dev", "-B", BUILD], cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
    units = json.loads((BUILD / "compile_commands.json").read_text())
    words = shlex.split(next(unit["command"] for unit in units if unit["file"].endswith("/core/batch.cpp")))
    words = words[next(i for i, word in enumerate(words) if word.startswith("-")):words.index("-o")]
    kept = [word for i, word in enumerate(words) if word != "-include" and words[i - 1] != "-include"]
    return kept[next(i for i, word in enumerate(kept) if word[:2] in ("-D", "-I")):]


def report_headers():
    flags = flags_with_torch()
    print(f"{'MB':>6}{'made, s':>9}{'loaded, s':>11}  precompiled headers")
    for name, headers in HEADERS.items():
        with tempfile.TemporaryDirectory() as folder:
            header, unit = pathlib.Path(folder) / "all.h", pathlib.Path(folder) / "unit.cpp"
            header.write_text("".join(f"#include <{one}>\n" for one in headers.split()))
            unit.write_text("int unit() { return 0; }\n")
            made = cpu_seconds(["c++", *flags, "-x", "c++-header", header, "-o", f"{header}.gch"])
            loaded = min(cpu_seconds(["c++", *flags, "-include", header, "-c", unit, "-o", os.devnull]) for _ in range(3))
            print(f"{os.path.getsize(f'{header}.gch') / 1e6:>6.0f}{made:>9.1f}{loaded:>11.2f}  {name}")


def processor():
    names = [line.partition(":")[2].strip() for line in open("/proc/cpuinfo") if line.startswith("model name")]
    return names[0] if names else "this machine"


def main(arguments):
    if arguments[:1] == ["--unit"]:
        return compile_unit(arguments[1:])
    if arguments == ["--headers"]:
        return report_headers()
    separator = arguments.index("--") if "--" in arguments else len(arguments)
    targets, cmake = arguments[:separator] or ["lmzoo"], arguments[separator + 1:]
    shutil.rmtree(BUILD, ignore_errors=True)
    subprocess.run(["cmake", "--preset", "release", "-B", BUILD, *cmake,
                    f"-DCMAKE_CXX_COMPILER_LAUNCHER={sys.executable};{pathlib.Path(__file__).resolve()};--unit"],
                   cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
    began = time.monotonic()
    subprocess.run(["cmake", "--build", BUILD, "--target", *targets], cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
    took = time.monotonic() - began
    report()
    print(f"{took:.0f} s on {len(os.sched_getaffinity(0))} cores of {processor()}")
    return 0


sys.exit(main(sys.argv[1:]))
