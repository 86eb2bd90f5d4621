#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Print kunit.py's JSON results as a table of suites, and give the verdict.

The times are the difference of the time stamps in the kernel's log, where it
has any (CONFIG_PRINTK_TIME).
"""
import argparse
import json
import re
import sys


def cases(group, path=()):
    """All test cases below a group, as (path, status)."""
    for case in group["test_cases"]:
        yield path + (case["name"],), case["status"]
    for sub in group["sub_groups"]:
        yield from cases(sub, path + (sub["name"],))


def suite_times(log):
    """Seconds from a suite's header to its result line."""
    begin, times = {}, {}
    try:
        with open(log, errors="replace") as lines:
            for line in lines:
                m = re.match(r"\[ *([\d.]+)\]\s+# Subtest: (\S+)$", line)
                if m:
                    begin.setdefault(m[2], float(m[1]))
                m = re.match(r"\[ *([\d.]+)\] (?:not )?ok \d+ (\S+)", line)
                if m and m[2] in begin:
                    times[m[2]] = float(m[1]) - begin[m[2]]
    except OSError:
        pass
    return times


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--min", type=int, default=1)
    parser.add_argument("--allow-skips", action="store_true")
    parser.add_argument("--quiet", action="store_true")
    parser.add_argument("--log", default="")
    parser.add_argument("json", nargs="+")
    args = parser.parse_args()

    result = {"sub_groups": [], "test_cases": []}
    errors = 0
    for name in args.json:
        with open(name) as f:
            part = json.load(f)
        result["sub_groups"] += part["sub_groups"]
        result["test_cases"] += part["test_cases"]
        errors += part.get("misc", {}).get("errors", 0)
    times = suite_times(args.log)
    rows, bad = [], []
    total = {"PASS": 0, "FAIL": 0, "SKIP": 0}
    # A suite that ended before its first case counts as a case that failed.
    for suite in result["sub_groups"] + [
            {"name": c["name"], "test_cases": [c], "sub_groups": []}
            for c in result["test_cases"]]:
        count = {"PASS": 0, "FAIL": 0, "SKIP": 0}
        for path, status in cases(suite):
            status = "FAIL" if status == "ERROR" else status
            count[status] += 1
            total[status] += 1
            if status == "FAIL" or (status == "SKIP" and not args.allow_skips):
                bad.append(f"{status}: {suite['name']}.{'.'.join(path)}")
        rows.append((suite["name"], count, times.get(suite["name"])))

    problems = []
    ran = total["PASS"] + total["FAIL"]
    if total["FAIL"]:
        problems.append(f"{total['FAIL']} failed")
    if total["SKIP"] and not args.allow_skips:
        problems.append(f"{total['SKIP']} skipped")
    # The kernel's own skips count as cases that are there.
    if not ran or ran + total["SKIP"] < args.min:
        problems.append(f"{ran + total['SKIP']} cases where at least {args.min} are expected")
    if errors:
        problems.append(f"{errors} errors in the result's form")

    if problems or not args.quiet:
        skips = f"{'skipped':>8}" if total["SKIP"] else ""
        print(f"\n  {'suite':<44}{'passed':>7}{'failed':>7}{skips}{'time':>9}")
        rows.append(("total", total, sum(t for t in times.values())))
        for name, count, seconds in rows:
            skips = f"{count['SKIP']:>8}" if total["SKIP"] else ""
            took = f"{seconds:7.2f} s" if seconds is not None else f"{'-':>9}"
            print(f"  {name:<44}{count['PASS']:>7}{count['FAIL']:>7}{skips}{took}")
        for line in bad:
            print(f"    {line}")
        print()
    if problems:
        print("  tests FAILED: " + ", ".join(problems))
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
