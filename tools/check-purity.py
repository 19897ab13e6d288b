#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Refuses pure folders whose compiled code calls anything but itself, the folders below it and a short list.

Usage: check-purity.py PURITY.txt LAYERS.txt FOLDER_OF_ARCHIVES
"""

import importlib.util
import subprocess
import sys
from pathlib import Path


def _load(name):
    path = Path(__file__).with_name(name)
    spec = importlib.util.spec_from_file_location(name.replace("-", "_")[:-3], path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def read_purity(text):
    """{folder: set of symbols}, with those of "*" in each."""
    lists = {}
    for line in text.splitlines():
        line = line.split("#")[0].strip()
        if line:
            folder, _, symbols = line.partition(":")
            lists.setdefault(folder.strip(), set()).update(symbols.split())
    everywhere = lists.pop("*", set())
    return {folder: symbols | everywhere for folder, symbols in lists.items()}


def _nm(archive, *options):
    return subprocess.run(
        ["nm", "-A", *options, str(archive)], check=True, capture_output=True, text=True
    ).stdout.splitlines()


def defined(archive):
    return {line.split()[-1] for line in _nm(archive, "--defined-only", "--extern-only")}


def undefined(archive):
    """{symbol: the object that wants it}"""
    out = {}
    for line in _nm(archive, "--undefined-only"):
        place, symbol = line.rsplit(None, 2)[0], line.split()[-1]
        out[symbol] = place.split(":")[1] if ":" in place else place
    return out


def problems(purity, layers, archives):
    """archives: {folder: (defined symbols, {undefined symbol: object})}"""
    for folder, allowed in sorted(purity.items()):
        if folder not in archives:
            yield f"{folder} is listed as pure but was not built"
            continue
        own, wanted = archives[folder]
        known = set(own) | allowed
        for lower in layers.get(folder, ()):
            known |= set(archives.get(lower, (set(), {}))[0])
        for symbol, where in sorted(wanted.items()):
            if symbol not in known:
                yield f"src/{folder}: {where} calls {symbol}: pure code is handed what it needs"


def main(purity_path, layers_path, build):
    layers, found = _load("check-layers.py").read_layers(Path(layers_path).read_text(encoding="utf-8"))
    archives = {}
    for folder in layers:
        archive = Path(build) / f"libwf_{folder}.a"
        if archive.is_file():
            archives[folder] = (defined(archive), undefined(archive))
    purity = read_purity(Path(purity_path).read_text(encoding="utf-8"))
    found += problems(purity, layers, archives)
    print("\n".join(found) if found else f"{len(purity)} folders are pure")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:4]))
