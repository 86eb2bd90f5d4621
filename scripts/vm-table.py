#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""
vm-table.py [-x XFAILS] [-a] BASE PATCHED [REPEATED]

Compare what clients/table.sh left in the folders of two kernels: ROW.log holds
the results of the subtests, ROW.kmsg the kernel's messages, console+GROUP the
console of a guest. Prints a row a client with the counts on both, and a line for
each subtest that differs. Status 1 if anything is worse on the patched kernel: a
subtest that passes on the base and fails, is skipped, draws a warning or is gone; a
failure where there was none; a row that did not come to its end, whatever the base
did; a complaint of the kernel that the base does not make.

Tests of timing, by name and by the in-tree list of those that flake, and rows that
took too long, get a second chance: -a prints a regular expression of their rows,
REPEATED holds what they did.
XFAILS is drivers/gpu/drm/ci/xfails.
"""
import argparse
import collections
import glob
import os
import re
import subprocess
import sys

# From good to bad. Gone: the guest or the test did not live to say.
ORDER = ['pass', 'warn', 'skip', 'fail', 'gone']
IGT = {'SUCCESS': 'pass', 'SKIP': 'skip', 'FAIL': 'fail', 'CRASH': 'fail', 'TIMEOUT': 'fail'}
OWN = {'ok': 'pass', 'FAIL': 'fail', 'skip': 'skip'}
# What depends on how fast the host is.
TIMING = re.compile(r'^(modetest/.*-flip|gl/glmark2)$|kms_vblank|kms_flip|kms_cursor_legacy|interruptible')
# A busy host does that, without KVM.
HOST = re.compile(r'vblank timer overrun|soft lockup|hrtimer: interrupt took|clocksource|stall')


def warnings(path):
    """The subtests during which the kernel warned, '' for outside of any."""
    found, subtest, dynamic = set(), '', ''
    for line in open(path, errors='replace') if os.path.exists(path) else ():
        match = re.match(r'<(\d+)>\[ *[\d.]+\] (.*)', line)
        if not match:
            continue
        prio, text = int(match[1]), match[2]
        if match := re.search(r'\[IGT\] \S+: (starting|finished) (dynamic )?subtest ([^ ,]+)', text):
            name = match[3] if match[1] == 'starting' else ''
            if match[2]:
                dynamic = name
            else:
                subtest, dynamic = name, ''
        elif prio <= 4 and not HOST.search(text):
            found.add(subtest + (f'@{dynamic}' if dynamic else ''))
    return found


def read_row(path):
    """The result of each subtest; of a row without any, that of ''."""
    results, dynamic, status = {}, {}, None
    for line in open(path, errors='replace'):
        line = re.sub(r'\x1b\[[0-9;]*m', '', line.replace('\r', ''))
        if match := re.match(r'(Dynamic subtest|Subtest) (\S+): ([A-Z]+)', line):
            result = IGT.get(match[3], 'fail')
            if match[1] == 'Subtest':
                results.update({f'{match[2]}@{name}': r for name, r in dynamic.items()})
                results[match[2]], dynamic = result, {}
            else:
                dynamic[match[2]] = result
        elif match := re.match(r'(ok  |FAIL|skip) (\S.*)', line):
            results[match[2].strip()] = OWN[match[1].strip()]
        elif match := re.match(r'table: status (\d+)', line):
            status = int(match[1])
    if status is None:
        results['(end)'] = 'gone'
    elif status == 124 or status >= 128:
        results['(end)'] = 'fail'
    elif not results:
        results[''] = {0: 'pass', 77: 'skip'}.get(status, 'fail')
    for name in warnings(path[:-4] + '.kmsg'):
        if results.get(name) == 'pass':
            results[name] = 'warn'
    return results


def read_folder(folder):
    rows = {}
    for path in sorted(glob.glob(f'{folder}/*.log')):
        rows[os.path.basename(path)[:-4].replace('+', '/')] = read_row(path)
    return rows


def complaints(folder):
    """What the kernel complains about during each row, without what changes."""
    found = collections.defaultdict(set)
    splat = os.path.join(os.path.dirname(os.path.abspath(__file__)), 'splat.sh')
    for path in sorted(glob.glob(f'{folder}/console+*')):
        row, parts = 'boot', collections.defaultdict(list)
        for line in open(path, errors='replace'):
            if match := re.search(r'\] table: (\S+)$', line.rstrip()):
                row = match[1]
            parts[row].append(line)
        for row, lines in parts.items():
            run = subprocess.run([splat, '/dev/stdin'], input=''.join(lines), text=True,
                                 stdout=subprocess.PIPE)
            for line in run.stdout.splitlines():
                line = re.sub(r'^\[ *[\d.]+\](\[[^]]*\])? *', '', line)
                line = re.sub(r'\+?0x[0-9a-f/x]+|\b[0-9a-f]{16}\b|CPU[#: ]*\d+|\[[^]]*\]', '', line)
                line = re.sub(r'\d+', 'N', line)
                if not HOST.search(line):
                    found[row].add(line)
    return found


def read_list(xfails, kind):
    names = collections.defaultdict(list)
    for path in glob.glob(f'{xfails}/*-none-{kind}.txt') if xfails else ():
        driver = os.path.basename(path).split('-')[0]
        for line in open(path):
            line = line.split('#')[0].split(',')[0].strip()
            if line:
                names[driver].append(line)
    return names


def counts(results):
    n = collections.Counter(results.values())
    return ' '.join(f'{n[r]:4}' for r in ('pass', 'skip', 'fail', 'warn')) if results else f'{"-":>19}'


def main():
    parser = argparse.ArgumentParser(add_help=False)
    parser.add_argument('-x', dest='xfails')
    parser.add_argument('-a', dest='ask', action='store_true')
    parser.add_argument('folders', nargs='+')
    args = parser.parse_args()
    base, patched = (read_folder(f) for f in args.folders[:2])
    repeated = read_folder(args.folders[2]) if len(args.folders) > 2 else {}
    known, flakes = read_list(args.xfails, 'fails'), read_list(args.xfails, 'flakes')

    def may_repeat(row, name):
        driver, _, test = row.partition('/')
        return TIMING.search(f'{row}@{name}') or TIMING.search(row) or \
            f'{test}@{name}' in flakes[driver]

    worse, better, table, both, both_known, repeat = 0, 0, [], 0, 0, []
    for row in sorted({**base, **patched}):
        ours, theirs = patched.get(row, {}), base.get(row, {})
        verdict, lines = 'same', []
        for name in sorted({**ours, **theirs}):
            # A test that ends early is one result, whatever is missing then.
            a, b = theirs.get(name), ours.get(name)
            if a == b == 'fail':
                driver, _, test = row.partition('/')
                both += 1
                both_known += f'{test}@{name.split("@")[0]}' in known[driver]
            if a == b != 'gone':
                continue
            note = ''
            bad = b in ('fail', 'gone') if a is None else \
                b == 'gone' or ORDER.index(b or 'gone') > ORDER.index(a)
            if bad and (may_repeat(row, name) or '(end)' in ours):
                repeat.append(row)
                c = repeated.get(row, {}).get(name, 'pass' if name == '(end)' and row in repeated else None)
                if c and ORDER.index(c) <= ORDER.index(a or 'pass'):
                    bad, note = False, f', run again: {c}'
            if bad:
                worse += 1
                note += '  WORSE'
            elif not note:
                better += 1
            verdict = 'WORSE' if bad or verdict == 'WORSE' else 'differs'
            lines.append(f'    {name or "all of it"}: {a or "not there"} -> {b or "gone"}{note}')
        table.append((row, counts(theirs), counts(ours), verdict))
        table += lines
    if args.ask:
        print('|'.join(f'^{row}$' for row in sorted(set(repeat))), end='')
        return 0

    print(f'{"":34}{"base":^19}    {"patched":^19}')
    print(f'{"client":34}pass skip fail warn    pass skip fail warn    verdict')
    for line in table:
        print(line if isinstance(line, str) else f'{line[0]:34}{line[1]}    {line[2]}    {line[3]}')
    total = [counts({(r, n): v for r, s in rows.items() for n, v in s.items()}) for rows in (base, patched)]
    print(f'{"all":34}{total[0]}    {total[1]}')
    print(f'{both} fail on both kernels, {both_known} of these are in the in-tree list of failures')

    new, old = complaints(args.folders[1]), complaints(args.folders[0])
    for row in sorted(new):
        for line in sorted(new[row] - old[row]):
            print(f'new complaint of the kernel during {row}: {line}')
            worse += 1
    for row in sorted(old):
        for line in sorted(old[row] - new[row]):
            print(f'on the base only, during {row}: {line}')
    if not base or not patched:
        print('nothing to compare')
        return 1
    print(f'{worse} worse, {better} better')
    return 1 if worse else 0


if __name__ == '__main__':
    sys.exit(main())
