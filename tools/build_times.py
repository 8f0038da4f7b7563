#!/usr/bin/env python3
"""tools/build_times.py [TARGET...] [-- CMAKE_ARGUMENT...]: what a build costs, in CPU seconds of the compiler, by folder
and by unit. Builds the targets (default: lmzoo) from nothing, without the compiler cache, in build/times. CPU seconds
do not depend on what else the machine does; a quiet machine with N cores needs about an N-th of them.
"""
import collections
import pathlib
import resource
import shutil
import subprocess
import sys

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


def main(arguments):
    if arguments[:1] == ["--unit"]:
        return compile_unit(arguments[1:])
    separator = arguments.index("--") if "--" in arguments else len(arguments)
    targets, cmake = arguments[:separator] or ["lmzoo"], arguments[separator + 1:]
    shutil.rmtree(BUILD, ignore_errors=True)
    subprocess.run(["cmake", "--preset", "release", "-B", BUILD, *cmake,
                    f"-DCMAKE_CXX_COMPILER_LAUNCHER={sys.executable};{pathlib.Path(__file__).resolve()};--unit"],
                   cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
    subprocess.run(["cmake", "--build", BUILD, "--target", *targets], cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
    report()
    return 0


sys.exit(main(sys.argv[1:]))
