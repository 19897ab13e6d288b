#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Runs weft-load-sim and writes the plots and the table of docs/load/README.md.

Usage: plot-load.py WEFT_LOAD_SIM FOLDER
"""

import csv
import json
import math
import subprocess
import sys
import tempfile
from pathlib import Path

ATTACKS = ["pay", "overbid", "sneak", "oscillate", "burst", "hoard", "hoard-low", "one-prefix"]
CORES = [10, 30, 100, 300, 1000, 3000, 10000]
COLOURS = ["#1b6ca8", "#c8553d", "#3d8f5f", "#8a5fa8"]
WIDTH, HEIGHT, LEFT, TOP, BOTTOM, RIGHT = 720, 360, 64, 40, 48, 28


def run(sim, *options):
    """One run: (its result, its ticks)."""
    with tempfile.NamedTemporaryFile(suffix=".csv") as ticks:
        text = subprocess.run(
            [sim, "--json", "--csv", ticks.name, *options], check=True, capture_output=True, text=True
        ).stdout
        with open(ticks.name, encoding="utf-8") as file:
            rows = [{k: float(v) for k, v in row.items()} for row in csv.DictReader(file)]
    return json.loads(text), rows


class Plot:
    """Lines over two axes, each linear or logarithmic, as SVG."""

    def __init__(self, title, x, y):
        self.title, self.x, self.y, self.body, self.names = title, x, y, [], []

    @staticmethod
    def _part(axis, value):
        low, high = axis["range"]
        if axis.get("log"):
            return (math.log(max(value, low)) - math.log(low)) / (math.log(high) - math.log(low))
        return (value - low) / (high - low)

    def _at(self, x, y):
        px = LEFT + self._part(self.x, x) * (WIDTH - LEFT - RIGHT)
        return px, HEIGHT - BOTTOM - self._part(self.y, y) * (HEIGHT - TOP - BOTTOM)

    def line(self, name, points, colour, dashed=False):
        path = " ".join(f"{px:.1f},{py:.1f}" for px, py in (self._at(x, y) for x, y in points))
        dash = ' stroke-dasharray="6 4"' if dashed else ""
        self.body.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="1.6"{dash}/>')
        self.names.append((name, colour, dash))

    def _axes(self):
        for value in self.x["ticks"]:
            px, _ = self._at(value, self.y["range"][0])
            yield f'<line x1="{px:.1f}" y1="{TOP}" x2="{px:.1f}" y2="{HEIGHT - BOTTOM}" stroke="#e4e4e4"/>'
            yield f'<text x="{px:.1f}" y="{HEIGHT - BOTTOM + 16}" text-anchor="middle">{value:g}</text>'
        for value in self.y["ticks"]:
            _, py = self._at(self.x["range"][0], value)
            yield f'<line x1="{LEFT}" y1="{py:.1f}" x2="{WIDTH - RIGHT}" y2="{py:.1f}" stroke="#e4e4e4"/>'
            yield f'<text x="{LEFT - 6}" y="{py + 4:.1f}" text-anchor="end">{value:g}</text>'
        middle = (LEFT + WIDTH - RIGHT) / 2
        yield f'<text x="{middle}" y="{HEIGHT - 10}" text-anchor="middle">{self.x["label"]}</text>'
        yield f'<text transform="translate(16 {HEIGHT / 2}) rotate(-90)" text-anchor="middle">{self.y["label"]}</text>'

    def _legend(self):
        px = LEFT + 8
        for name, colour, dash in self.names:
            yield f'<line x1="{px}" y1="32" x2="{px + 22}" y2="32" stroke="{colour}" stroke-width="2"{dash}/>'
            yield f'<text x="{px + 27}" y="36">{name}</text>'
            px += 48 + 6.4 * len(name)

    def write(self, path):
        head = (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" '
            f'height="{HEIGHT}" font-family="sans-serif" font-size="12">\n'
            f'<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>\n'
            f'<text x="{LEFT}" y="18" font-size="14" font-weight="bold">{self.title}</text>\n'
        )
        parts = [*self._axes(), *self.body, *self._legend()]
        path.write_text(head + "\n".join(parts) + "\n</svg>\n", encoding="utf-8")


def plot_price(sim, path):
    plot = Plot(
        "Price under attack from 30 s to 180 s, as a multiple of the clearing price",
        {"label": "time, s", "range": (0, 250), "ticks": range(0, 251, 50)},
        {"label": "price / clearing price", "range": (0, 2), "ticks": [0, 0.5, 1, 1.5, 2]},
    )
    plot.line("clearing", [(30, 1), (180, 1)], "#888", dashed=True)
    plot.line("1.5 times", [(30, 1.5), (180, 1.5)], "#bbb", dashed=True)
    for cores, colour in zip([100, 1000, 10000], COLOURS):
        _, ticks = run(sim, "--cores", str(cores))
        plot.line(f"{cores:,} cores", [(t["at"], t["price"] / t["clearing"]) for t in ticks], colour)
    plot.write(path)


def plot_handshakes(results, path):
    plot = Plot(
        "Honest handshakes by the attacker's CPU (server: 4,000 a second)",
        {"label": "attacker, cores", "range": (10, 10000), "log": True, "ticks": [10, 100, 1000, 10000]},
        {"label": "seconds", "range": (0.1, 10), "log": True, "ticks": [0.1, 0.2, 0.5, 1, 2, 5, 10]},
    )
    series = [("half, all", "all", "p50"), ("95 %, all", "all", "p95"), ("95 %, fast third", "fast", "p95")]
    series.append(("95 %, slow third", "slow", "p95"))
    for (name, group, quantile), colour in zip(series, COLOURS):
        plot.line(name, [(r["cores"], r[group][quantile]) for r in results], colour)
    plot.line("2 s", [(10, 2), (10000, 2)], "#888", dashed=True)
    plot.write(path)


def plot_end(sim, path):
    plot = Plot(
        "Price after the end of the attack",
        {"label": "seconds after the end", "range": (-5, 20), "ticks": range(-5, 21, 5)},
        {"label": "price, core-seconds", "range": (0.001, 10), "log": True, "ticks": [0.001, 0.01, 0.1, 1, 10]},
    )
    for cores, colour in zip([100, 1000, 10000], COLOURS):
        _, ticks = run(sim, "--cores", str(cores))
        points = [(t["at"] - 180, t["price"]) for t in ticks if -5 <= t["at"] - 180 <= 20]
        plot.line(f"{cores:,} cores", points, colour)
    plot.write(path)


def row(r):
    clearing, slow, everybody = r["clearing"], r["slow"], r["all"]
    return (
        f"| {r['attack']} | {r['cores']:,} | {clearing:.4f} | {r['price_mean'] / clearing:.2f} | "
        f"{r['price_p95'] / clearing:.2f} | {100 * everybody['served']:.1f} % | {everybody['p50']:.2f} | "
        f"{everybody['p95']:.2f} | {100 * slow['served']:.1f} % | {slow['p95']:.2f} | "
        f"{r['attackers_served']:.0f} | {r['zero_after']:.1f} |"
    )


def write_table(results, path):
    head = [
        "| attack | cores | clearing price, core-s | price, mean | price, p95 | honest served | p50, s | p95, s | "
        "slow third served | p95, s | attackers served, /s | price gone after, s |",
        "|---|---|---|---|---|---|---|---|---|---|---|---|",
    ]
    begin, end = "<!-- table -->\n", "<!-- end of table -->"
    before, _, rest = path.read_text(encoding="utf-8").partition(begin)
    after = rest[rest.index(end) :]
    table = "\n".join([*head, *map(row, results)]) + "\n"
    path.write_text(before + begin + table + after, encoding="utf-8")


def main(sim, folder):
    folder = Path(folder)
    by_cores = [run(sim, "--cores", str(n))[0] for n in CORES]
    plot_price(sim, folder / "price.svg")
    plot_handshakes(by_cores, folder / "handshakes.svg")
    plot_end(sim, folder / "end.svg")
    write_table(by_cores + [run(sim, "--attack", a)[0] for a in ATTACKS[1:]], folder / "README.md")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2]))
