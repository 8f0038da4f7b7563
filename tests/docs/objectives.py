#!/usr/bin/env python3
"""The examples and the table of architectures in docs/objectives.md are what lmzoo makes and says.

    tests/docs/objectives.py LMZOO [--write]       --write renews them; without it a difference is an error

Every objective of `lmzoo list objectives` has a section with a source and an example, and every section is of one. Between markers the page
holds what a command says:

    <!-- inspect CONFIG [KEY=VALUE ...] [#N] -->        the N-th example of `lmzoo inspect` (the first), its ids only
    <!-- architectures OBJECTIVE -->                    the row of `lmzoo list --matrix`
    <!-- end -->
"""
import difflib
import json
import pathlib
import re
import subprocess
import sys
import tempfile
import textwrap

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
PAGE = ROOT / "docs/objectives.md"
BLOCK = re.compile(r"(<!-- (inspect|architectures) ([^\n]*?) -->\n).*?(<!-- end -->)", re.S)


def ask(lmzoo, *arguments):
    asked = subprocess.run([lmzoo, *arguments, "--json"], cwd=ROOT, capture_output=True, text=True)
    if asked.returncode:
        sys.exit(f"{' '.join(arguments)}: {asked.stderr}")
    return json.loads(asked.stdout)


def row(name, text):
    lines = textwrap.wrap(text, 96) or [""]
    return "\n".join(f"{name if i == 0 else '':10}{line}".rstrip() for i, line in enumerate(lines)) + "\n"


def ids_of(tokens):
    return " ".join(str(token["id"]) for token in tokens)


def group_text(group):
    if group["path"]:
        rest = "path " + " ".join(f"{step['node']}:{step['branch']}" for step in group["path"])
    else:
        rest = "not " + ids_of(group["negatives"])
    return f"{ids_of(group['inputs'])} -> {group['word']['id']}, {rest}"


def example_text(example):
    text = row("text", example["text"]) + row("ids", " ".join(map(str, example["ids"])))
    for sequence in example["sequences"]:
        positions = sequence["positions"]
        text += row(sequence["name"], ids_of(positions))
        labels = [f"{i}:{at['label']}" for i, at in enumerate(positions) if at["label"] is not None]
        text += row("predicts", " ".join(labels)) if labels else ""
        text += row("", f"({sequence['attention']})")
    for group in example["groups"]:
        text += row("around", group_text(group))
    return text + (row("label", example["label"]) if example["label"] else "")


def inspect(lmzoo, cache, words):
    number = max([int(word[1:]) for word in words if word.startswith("#")], default=1)
    config, *settings = [word for word in words if not word.startswith("#")]
    flags = [part for setting in (*settings, f"data.cache_dir={cache}") for part in ("--set", setting)]
    example = ask(lmzoo, "inspect", config, "-n", str(number), *flags)[number - 1]
    shown = " ".join(["lmzoo inspect", config, *(f"--set {setting}" for setting in settings)])
    return f"```\n$ {shown}\n{example_text(example)}```\n"


def architectures(cells, objective):
    mine = [cell for cell in cells if cell["objective"] == objective]
    reasons = {}
    for cell in mine:
        if not cell["goes"]:
            reasons.setdefault(cell["reason"], []).append(f"`{cell['model']}`")
    goes = ", ".join(f"`{cell['model']}`" for cell in mine if cell["goes"])
    refused = "".join(f"- not {', '.join(models)}: {reason}\n" for reason, models in reasons.items())
    return f"- goes with {goes or 'no model'}\n{refused}"


def sections_of(page):
    """Name and text of each section whose heading is a name in backticks."""
    parts = re.split(r"^## `(\w+)`\n", page, flags=re.M)
    return dict(zip(parts[1::2], parts[2::2]))


def complaints(page, objectives):
    sections = sections_of(page)
    for name in sorted(objectives - sections.keys()):
        yield f"{name} has no section; begin one with ## `{name}`"
    for name, text in sections.items():
        if name not in objectives:
            yield f"there is no objective {name}"
        for wanted in ("\nSource: ", "<!-- inspect ", f"<!-- architectures {name} -->"):
            if wanted not in text:
                yield f"the section of {name} lacks '{wanted.strip()}'"


def main():
    lmzoo = str(pathlib.Path(sys.argv[1]).resolve())
    page = PAGE.read_text()
    objectives = {entry["name"] for entry in ask(lmzoo, "list", "objectives")["objectives"]}
    wrong = list(complaints(page, objectives))
    cells = ask(lmzoo, "list", "--matrix")
    with tempfile.TemporaryDirectory() as cache:
        def renewed(block):
            head, command, rest, end = block.groups()
            made = inspect(lmzoo, cache, rest.split()) if command == "inspect" else architectures(cells, rest)
            return head + made + end

        new = BLOCK.sub(renewed, page)
    if sys.argv[2:] == ["--write"]:
        PAGE.write_text(new)
    elif new != page:
        difference = difflib.unified_diff(page.splitlines(), new.splitlines(), "docs/objectives.md", "lmzoo", lineterm="")
        wrong.append("\n".join([*difference, f"an example has changed: tests/docs/objectives.py {sys.argv[1]} --write"]))
    for complaint in wrong:
        print(f"docs/objectives.md: {complaint}", file=sys.stderr)
    print(f"{len(objectives)} objectives, {len(BLOCK.findall(page))} examples and rows, {len(wrong)} complaints")
    return bool(wrong)


if __name__ == "__main__":
    sys.exit(main())
