#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""demo.py FOLDER MIB DRIVER...: the table and the plot of `make demo`.

FOLDER/base and FOLDER/series hold what a guest of each left: job.log, with the lines
of clients/fill.c and clients/demo.sh, DRIVER.tsv, with samples over time, and
console.log. Prints the table, and a line "FAILED: ..." for each thing that is not as
it must be; status 1 if there is any. Leaves demo.svg, demo.png and demo.json.

The series must reach all on each driver, with every word right, nobody killed, and
not more freed than asked for. The base must not, or this would prove nothing.
"""
import json
import os
import re
import subprocess
import sys

# What may be freed: so much of what was asked for, and one buffer's pages beyond.
FREED = 1.05
PAGES_A_MIB = 256
# How often all is walked over.
WALKS = 2
# Samples of a driver in the plot, about.
POINTS = 150

KERNELS = ('base', 'series')
# Columns of the samples.
TIME, MAPPED, WALK, FREE, AVAILABLE, SWAP, SHMEM = range(7)


def read_results(path):
    """What the lines for programs say, by driver."""
    results = {}
    if os.path.exists(path):
        for line in open(path, errors='replace'):
            if match := re.match(r'(fill|demo): (driver=.*)', line.strip()):
                fields = dict(word.split('=', 1) for word in match[2].split() if '=' in word)
                results.setdefault(fields['driver'], {}).update(fields, **{match[1]: True})
    return {driver: r for driver, r in results.items() if 'fill' in r and 'demo' in r}


def read_samples(path):
    """The rows of numbers, and the size of the memory in KiB."""
    rows, size = [], 0
    if os.path.exists(path):
        for line in open(path):
            if match := re.match(r'# memory: (\d+)', line):
                size = int(match[1])
            elif not line.startswith('#'):
                rows.append([float(n) for n in line.split()])
    return rows, size


def ratio(r):
    """What was freed for each page asked for, or None."""
    if r['asked'] == '-' or int(r['asked']) == 0 or int(r['unseen']):
        return None
    return int(r['freed']) / int(r['asked'])


def wrong(r):
    """Words that were not what they had to be, of the buffers and the hog's."""
    return int(r['wrong']) + int(r['hog_wrong'])


def mistakes(r):
    """What must not be on any kernel."""
    found = []
    if wrong(r):
        found.append(f'{wrong(r)} wrong words')
    if int(r['oom_kills']) or int(r['killed']) or int(r['hog_killed']):
        found.append(f"{r['oom_kills']} OOM kills")
    if int(r['sigbus']):
        found.append('SIGBUS')
    if int(r['lost_kib']):
        found.append(f"{r['lost_kib']} KiB not given back")
    if not found and int(r['walks']) != WALKS:
        found.append(f"{r['walks']} of {WALKS} walks")
    if not found and r['status'] != 'ok':
        found.append('the client failed')
    return found


def refusal(r, mib):
    """What the kernel would not let the client do."""
    found = []
    if int(r['reached']) != mib:
        found.append(f"{r['reached']} of {mib} MiB")
    elif int(r['mib']) != mib:
        found.append(f"{r['mib']} MiB asked for")
    return found


def excess(r):
    """What was freed beyond what was asked for."""
    if ratio(r) is None:
        return ['freed over asked is not known']
    if int(r['freed']) > FREED * int(r['asked']) + int(r['buffer']) * PAGES_A_MIB:
        return [f'freed over asked is {ratio(r):.2f}']
    return []


def judge(results, mib, drivers):
    """A line for each thing that fails."""
    found = []
    for driver in drivers:
        for kernel in KERNELS:
            r = results[kernel].get(driver)
            if not r:
                found.append(f'{driver}: no result on the {kernel}')
            elif kernel == 'series':
                found += [f'{driver}: {text}' for text in refusal(r, mib) + mistakes(r) + excess(r)]
            elif not refusal(r, mib) + mistakes(r):
                found.append(f'{driver}: the base passes, too: this proves nothing')
    return found


def table(results, mib, drivers):
    """A row a driver and kernel."""
    print(f"{'driver':<12} {'kernel':<7} {'MiB reached':>12} {'OOM kills':>9} {'wrong words':>11} "
          f"{'seconds':>7} {'swap MiB':>8} {'evictions':>9} {'freed/asked':>11}")
    for driver in drivers:
        for kernel in KERNELS:
            r = results[kernel].get(driver)
            if not r:
                print(f'{driver:<12} {kernel:<7} no result')
                continue
            share = f'{ratio(r):.2f}' if ratio(r) is not None else '-'
            end = ' SIGBUS' if int(r['sigbus']) else ' killed' if int(r['killed']) else ''
            print(f"{driver:<12} {kernel:<7} {r['reached'] + ' of ' + str(mib):>12} {r['oom_kills']:>9} {wrong(r):>11} "
                  f"{float(r['seconds']):>7.0f} {r['swap_mib']:>8} {r['evictions']:>9} {share:>11}{end}")


def plot(folder, mib, drivers):
    """Memory, swap and buffers over time: the drivers one after the other, a panel a kernel."""
    panels, top, size = [], mib, 0
    for kernel in KERNELS:
        x, marks = 0, []
        with open(f'{folder}/{kernel}.dat', 'w') as data:
            for driver in drivers:
                rows, total = read_samples(f'{folder}/{kernel}/{driver}.tsv')
                if not rows:
                    continue
                size = total / 1024
                marks.append((x, driver))
                # As many as can be seen, and the last one.
                for r in rows[:-1:max(1, len(rows) // POINTS)] + rows[-1:]:
                    used, swap = (total - r[AVAILABLE]) / 1024, r[SWAP] / 1024
                    top = max(top, used, swap)
                    data.write(f'{x + r[TIME]:.1f} {r[MAPPED]:.0f} {used:.1f} {swap:.1f}\n')
                x += rows[-1][TIME]
                data.write('\n')
        if marks:
            panels.append((kernel, x, marks))
    if not panels:
        sys.exit(f'error: {folder}: no samples')

    script = ''
    for kernel, end, marks in panels:
        name = 'Base' if kernel == 'base' else 'With the series'
        # The base leaves room for it.
        script += 'unset key\n' if script else 'set key at graph 0.99, graph 0.8 right top Left reverse\n'
        script += (f'set title "{name}, over {end:.0f} seconds" font ",13"\n'
                   f'unset arrow\nunset label\nset xrange [0:{max(end, 1)}]\n')
        for x, driver in marks:
            script += (f'set label "{driver}" at first {x}, graph 0.94 offset 0.5,0 tc rgb "#555555"\n'
                       f'set arrow from first {x}, graph 0 to first {x}, graph 1 nohead lc rgb "#aaaaaa"\n')
        script += (f'set arrow from graph 0, first {size} to graph 1, first {size} nohead dt 2 lc rgb "#555555"\n'
                   f'plot "{folder}/{kernel}.dat" using 1:2 with lines lw 2 lc rgb "#1f77b4" '
                   'title "buffers, all mapped", '
                   '"" using 1:3 with lines lw 2 lc rgb "#d62728" title "memory in use", '
                   '"" using 1:4 with lines lw 2 lc rgb "#2ca02c" title "swap in use"\n')
    height = 60 + 270 * len(panels)
    for terminal, extension in (('svg', 'svg'), ('pngcairo', 'png')):
        subprocess.run(['gnuplot'], input=f'''
set terminal {terminal} size 900,{height} background "white"
set output "{folder}/demo.{extension}"
set multiplot layout {len(panels)},1 title "{mib} MiB of buffers in a guest of 512 MiB (dashed) with 2 GiB of swap"
set grid
set yrange [0:{top * 1.2:.0f}]
set ylabel "MiB"
set ytics {max(512, mib // 3)}
{script}unset multiplot
''', text=True, check=True)


def main():
    folder, mib, drivers = sys.argv[1], int(sys.argv[2]), sys.argv[3:]
    results = {kernel: read_results(f'{folder}/{kernel}/job.log') for kernel in KERNELS}
    with open(f'{folder}/demo.json', 'w') as out:
        json.dump(results, out, indent=1)
    table(results, mib, drivers)
    found = judge(results, mib, drivers)
    # vm.sh has printed why: the kernel complained, or there is no status.
    if os.path.exists(f'{folder}/series/failed'):
        found.append('the job failed on the series, or the kernel complained')
    for text in found:
        print(f'FAILED: {text}')
    sys.stdout.flush()
    plot(folder, mib, drivers)
    sys.exit(1 if found else 0)


main()
