#!/usr/bin/env python3
"""tests/layering/names.py [ROOT]: names of anonymous namespaces that two units of one room share.

The presets of newcomers and CI compile two dozen units of a room as one (CMAKE_UNITY_BUILD), where all anonymous namespaces
are the same one. Two types of one name are then an error of the compiler; two functions of one name may be overloads of
each other, and the wrong one be called without a word. So no two units of a room, or of its tests, give one name.
An alias for the same type, and a namespace alias, may stand in several.
"""
import collections
import pathlib
import re
import sys
import tempfile

ROOMS = "base io metrics text tokenizer core nn data models objectives train infer cli".split()
BLOCK = re.compile(r"^namespace \{$(.*?)^\}  // namespace$", re.M | re.S)
# What begins at the left margin of such a block: types, aliases, then functions and variables.
NAME = re.compile(
    r"^(?:template <[^\n]*>\n)?"
    r"(?:(?:struct|class|enum class|enum|union) (?P<type>\w+)"
    r"|using (?P<alias>\w+) = (?P<meaning>[^;]*);"
    r"|(?:[\w:<>,&*\[\]]+ )+?[&*]?(?P<value>\w+)(?:\(|\[| =|\{|;))",
    re.M)


def names_of(source):
    """{name: what it means when that may stand twice, else None} of one unit."""
    found = {}
    for block in BLOCK.findall(source):
        for match in NAME.finditer(block):
            if not match[0].startswith(("using namespace ", "namespace ", "return ")):
                found[match["type"] or match["alias"] or match["value"]] = match["meaning"]
    return found


def shared_names(root, room):
    places = collections.defaultdict(dict)
    for path in sorted((root / room).rglob("*.cpp")):
        for name, meaning in names_of(path.read_text()).items():
            places[name][path.relative_to(root)] = meaning
    for name, units in sorted(places.items()):
        meanings = set(units.values())
        if len(units) > 1 and (None in meanings or len(meanings) > 1):
            yield f"{room}: {name} is a name of {', '.join(str(unit) for unit in units)}"


def planted_faults(folder):
    """A faulty pair of units for each kind of name, and a good one; what is not judged as it should be."""
    wrong = []
    pairs = {"struct Case {};": "class Case;", "int64_t pairs(int64_t x) {": "std::string pairs(const std::string& x) {",
             "constexpr double kWidth = 760;": "constexpr double kWidth = 640;", "using Ids = int;": "using Ids = long;",
             "template <class T>\nT twice(T x) {": "float twice(float x) {", "const Registry& zoo() {": "Registry* zoo();"}
    good = {"using Ids = int;": "using Ids = int;", "namespace fs = std::filesystem;": "namespace fs = std::filesystem;",
            "int one() {\n  int64_t x = 1;": "int two() {\n  int64_t x = 1;", "": "struct A {};"}
    for expected, cases in ((1, pairs), (0, good)):
        for first, second in cases.items():
            for name, text in (("a", first), ("b", second)):
                (folder / "nn" / f"{name}.cpp").write_text(f"namespace lmzoo {{\nnamespace {{\n\n{text}\n\n}}  // namespace\n}}\n")
            if len(list(shared_names(folder, "nn"))) != expected:
                wrong.append(f"names: {first!r} beside {second!r} is judged wrongly")
    return wrong


def main(root):
    with tempfile.TemporaryDirectory() as folder:
        (pathlib.Path(folder) / "nn").mkdir()
        faults = planted_faults(pathlib.Path(folder))
    rooms = ROOMS + [f"tests/{room}" for room in ROOMS]
    faults += [line for room in rooms for line in shared_names(root, room)]
    print("\n".join([*faults, f"{len(rooms)} passed, {len(faults)} failed"]))
    return bool(faults)


sys.exit(main(pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else ".")))
