#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""bench.py LOG NAME AGAINST: the table of a run of the bench, NAME.json and NAME.svg.
AGAINST is what "base" in it stands for.

The turns come as ours, base, base, ours. The ratio is that of the two sums of
each round; the median of the rounds' ratios is what counts, for what the machine
did beside is the same for both. Rows above their limit are named; that is no
failure, as one run on a busy machine proves nothing.
"""
import json
import re
import statistics
import subprocess
import sys

# How much of the base's time a row may take, which is named as in the table: the
# first expression that matches. Against a part of the series, the same for all.
LIMITS = (
    (r'sgt again$', 0.2),
    (r'fault, ', 0.3),
    (r'', 1.05),
)
PART_LIMITS = ((r'', 1.03),)


def quartiles(values):
    """Lower quartile, median, upper quartile."""
    if len(values) < 2:
        return values * 3
    return statistics.quantiles(values, n=4, method='inclusive')


def read(log):
    """The turns in the order of the rows, and the head line."""
    rows, head, done = {}, None, False
    with open(log, errors='replace') as lines:
        for line in lines:
            match = re.search(r'bench: (.*)', line.rstrip())
            if not match:
                continue
            text = match.group(1)
            if text.startswith('cpus='):
                head = dict(word.split('=') for word in text.split())
            done = done or text == 'done'
            turn = text.split('|')
            if len(turn) == 5:
                row, threads, helper, time, ops = turn
                rows.setdefault((row, int(threads)), []).append((helper, int(time) / int(ops)))
    if not head or not done or not rows:
        sys.exit(f'error: {log}: the bench did not run to its end')
    return head, rows


def judge(row, threads, turns):
    """The figures of one row."""
    result = {'row': row, 'threads': threads, 'rounds': len(turns) // 4}
    for helper in 'ours', 'base':
        times = [time for name, time in turns if name == helper]
        low, median, high = quartiles(times)
        result[helper] = {'median_ns': median, 'q1_ns': low, 'q3_ns': high, 'samples_ns': times}
    ratios = []
    for i in range(0, len(turns) - 3, 4):
        four = turns[i:i + 4]
        assert [name for name, _ in four] == ['ours', 'base', 'base', 'ours'], row
        ratios.append((four[0][1] + four[3][1]) / (four[1][1] + four[2][1]))
    low, median, high = quartiles(ratios)
    result['ratio'] = {'median': median, 'q1': low, 'q3': high}
    return result


def label(result):
    """The row's name in table and plot."""
    return result['row'] + (f", {result['threads']} threads" if result['threads'] > 1 else '')


def limit(result, limits):
    """How much of the base's time the row may take."""
    return next(share for pattern, share in limits if re.match(pattern, label(result)))


def disturbed(results):
    """Threads that only read must not make one another slower than the machine does."""
    again, read = ({r['threads']: r['ours']['median_ns'] for r in results if r['row'] == row}
                   for row in ('sgt again', 'read sgt'))
    most = max(again)
    if again[most] / again[1] > 1.05 * read[most] / read[1]:
        print(f'slower with more threads: sgt again: {show(again[most])} at {most}, {show(again[1])} at 1; '
              f'read sgt: {show(read[most])}, {show(read[1])}')


def show(ns):
    """A time in three or four digits."""
    for unit in 'ns', 'us', 'ms':
        if ns < 10000 or unit == 'ms':
            break
        ns /= 1000
    return f'{ns:.{1 if ns < 1000 else 0}f} {unit}'


def plot(results, name, against):
    """Ratios as bars, with their quartiles, on a logarithmic scale."""
    with open(name + '.dat', 'w') as data:
        for i, r in enumerate(reversed(results)):
            ratio = r['ratio']
            data.write(f'"{label(r)}" {i} {ratio["median"]} {ratio["q1"]} {ratio["q3"]}\n')
    script = f'''
set terminal svg size 900,{120 + 18 * len(results)} background "white"
set output "{name}.svg"
set title "Time of an operation: the series / {against} (median and quartiles; left of 1 is faster)"
set logscale x 2
set grid x
set offsets 0, 0, 0.5, 0.5
set arrow from 1, graph 0 to 1, graph 1 nohead lw 2
plot "{name}.dat" using 3:2:4:5:ytic(1) with xerrorbars pt 7 notitle
'''
    subprocess.run(['gnuplot'], input=script, text=True, check=True)


def main():
    log, name, against = sys.argv[1:]
    limits = LIMITS if against == 'base' else PART_LIMITS
    head, rows = read(log)
    results = [judge(row, threads, turns) for (row, threads), turns in rows.items()]
    print(f"{head['cpus']} CPUs; base: {against}")
    print(f"{'':<42} {'ours':>9} {'IQR':>8} {'base':>9} {'IQR':>8} {'ours/base':>10}")
    for r in results:
        cells = []
        for helper in 'ours', 'base':
            h = r[helper]
            cells += [f"{show(h['median_ns']):>9}", f"{(h['q3_ns'] - h['q1_ns']) / h['median_ns']:>7.0%} "]
        print(f"{label(r):<42} {' '.join(cells)} {r['ratio']['median']:>10.3f}")
    misses = [r for r in results if r['ratio']['median'] > limit(r, limits)]
    for r in misses:
        print(f"above its limit: {label(r)}: {r['ratio']['median']:.3f}, not {limit(r, limits)}")
    disturbed(results)
    print(f'{len(results) - len(misses)} of {len(results)} rows within their limits')
    with open(name + '.json', 'w') as out:
        json.dump({**head, 'rows': results}, out, indent=1)
    plot(results, name, against)


main()
