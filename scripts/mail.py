#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""mail.py TREE AUTHOR FOLDER: add To and Cc to the mails that git format-patch left.

The addresses are those of TREE's get_maintainer.pl: lists in Cc, all else in To,
AUTHOR in neither. A cover letter goes to all who get one of the patches.
"""
import email.utils
import glob
import os
import re
import subprocess
import sys


def has_history(tree):
    return subprocess.run(['git', '-C', tree, 'rev-parse', '-q', '--verify', 'base^'],
                          stdout=subprocess.DEVNULL, check=False).returncode == 0


def addresses(tree, author, options, patch):
    """To and Cc of a patch, each a dictionary of address: name."""
    run = subprocess.run(['perl', 'scripts/get_maintainer.pl', '--no-git', '--no-git-fallback',
                          '--no-git-chief-penguins', '--no-rolestats', '--roles', *options,
                          os.path.abspath(patch)], cwd=tree, stdout=subprocess.PIPE, check=False)
    if run.returncode:
        sys.exit(f'get_maintainer.pl failed for {patch}')
    to, cc = {}, {}
    for line in run.stdout.decode().splitlines():
        match = re.match(r'(?P<who>.*<[^<>]+>|\S+@\S+)(?: \((?P<role>.*)\))?$', line)
        if not match:
            sys.exit(f'get_maintainer.pl says: {line}')
        name, address = email.utils.parseaddr(match['who'])
        kind = cc if re.match(r'(\w+ )?list\b', match['role'] or '') else to
        if address.lower() != author.lower():
            kind.setdefault(address, name)
    return to or cc, cc if to else {}


def header(name, people):
    lines = [email.utils.formataddr((name, address)) for address, name in people.items()]
    return [f'{name}: ' + ',\n    '.join(lines)] if lines else []


def add_headers(path, to, cc):
    with open(path, encoding='utf-8', errors='surrogateescape') as f:
        head, body = f.read().split('\n\n', 1)
    # Of a cover letter, git leaves the name as it is.
    head = re.sub(r'^From: (.*@.*)$', lambda m: 'From: ' + email.utils.formataddr(
        email.utils.parseaddr(m[1])), head, flags=re.M) if not head.isascii() else head
    with open(path, 'w', encoding='utf-8', errors='surrogateescape') as f:
        f.write('\n'.join([head, *header('To', to), *header('Cc', cc)]) + '\n\n' + body)


def main():
    tree, author, folder = sys.argv[1:]
    author = email.utils.parseaddr(author)[1]
    # Who made the mistake is known where its commit is.
    options = [] if has_history(tree) else ['--no-fixes']
    all_to, all_cc = {}, {}
    patches = sorted(glob.glob(f'{folder}/*.patch'))
    cover = [path for path in patches if os.path.basename(path).startswith('0000-')]
    for path in patches:
        if path in cover:
            continue
        to, cc = addresses(tree, author, options, path)
        add_headers(path, to, cc)
        all_to.update(to)
        all_cc.update(cc)
    for path in cover:
        add_headers(path, all_to, {a: n for a, n in all_cc.items() if a not in all_to})
    print(f'        {os.path.basename(folder)}: mails: {len(patches)}, people: {len(all_to)}, lists: {len(all_cc)}')


main()
