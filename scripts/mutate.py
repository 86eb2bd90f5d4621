#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Apply a small, wrong change of scripts/mutants.txt, which says how to write one.

mutate.py TABLE list          one line a mutant: name, test, file, "quick" or "-",
                              and why it may survive or "-", with tabs between
mutate.py TABLE apply NAME    change the file, below the current directory
mutate.py TABLE check         could each of them be applied?
"""
import re
import sys


class Mutant:
    def __init__(self, file, test, name, function, quick):
        self.file, self.test = file, test
        self.name, self.function, self.quick = name, function, quick
        self.survives = "-"
        self.hunks = [[]]


def read(table):
    mutants, place, mutant = {}, None, None
    with open(table) as lines:
        for number, line in enumerate(lines, 1):
            line = line.rstrip("\n")
            words = line.split()
            if line.startswith("#"):
                continue
            elif not words:
                mutant = None
            elif mutant and line[0] in " +-":
                mutant.hunks[-1].append(line)
            elif mutant and line == "@@":
                mutant.hunks.append([])
            elif mutant and words[0] == "survives:":
                mutant.survives = " ".join(words[1:])
            elif words[0] == "file" and words[2:] in (["kunit"], ["cocci"]):
                place = words[1:]
            elif place and not mutant and line[0] not in " +-" and \
                    (len(words) == 2 or words[2:] == ["quick"]) and words[0] not in mutants:
                mutant = Mutant(*place, words[0], words[1], "quick" if words[2:] else "-")
                mutants[words[0]] = mutant
            else:
                sys.exit(f"error: {table}:{number}: what is this? {line}")
    return mutants


def find(lines, name):
    """First and last line of the definition of a function or an array."""
    for i, line in enumerate(lines):
        if not re.match(rf"(\w.*)?\b{name}\b", line):
            continue
        for j in range(i, len(lines)):
            if re.match(r"\}", lines[j]):
                return i, j
            if lines[j] == "" or re.match(r"\S.*;$", lines[j]):
                break
            if lines[j] == "{" or lines[j].endswith("= {"):
                while not lines[j].startswith("}"):
                    j += 1
                return i, j
    return None


def mutate(mutant):
    """The file with the change made."""
    with open(mutant.file) as f:
        lines = f.read().split("\n")
    for hunk in mutant.hunks:
        where = find(lines, mutant.function)
        if not where:
            sys.exit(f"{mutant.name}: no {mutant.function}() in {mutant.file}")
        old = [line[1:] for line in hunk if line[0] in " -"]
        new = [line[1:] for line in hunk if line[0] in " +"]
        at = [i for i in range(where[0], where[1] + 1) if old and lines[i:i + len(old)] == old]
        if len(at) != 1:
            sys.exit(f"{mutant.name}: its lines are {len(at)} times in {mutant.function}()")
        lines[at[0]:at[0] + len(old)] = new
    return "\n".join(lines)


def main():
    mutants = read(sys.argv[1])
    if sys.argv[2:] == ["list"]:
        for m in mutants.values():
            print(m.name, m.test, m.file, m.quick, m.survives, sep="\t")
    elif len(sys.argv) == 4 and sys.argv[2] == "apply":
        m = mutants[sys.argv[3]]
        changed = mutate(m)
        with open(m.file, "w") as f:
            f.write(changed)
    elif sys.argv[2:] == ["check"]:
        for m in mutants.values():
            mutate(m)
    else:
        sys.exit(__doc__)


if __name__ == "__main__":
    main()
