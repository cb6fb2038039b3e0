"""Reports the measurements as a table, as JSON, and as a small chart."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from html import escape
from statistics import median
from typing import Any

from proofs.benchmarks.loads import TITLES, Sample

BASE = "plain"  # the base of the ratios


@dataclass
class Row:
    """One variant: its samples by load, and what was weighed once."""

    name: str
    title: str
    samples: dict[str, list[Sample]] = field(default_factory=dict)
    statements: dict[str, int] = field(default_factory=dict)  # by HTTP method
    megabytes: float | None = None
    seconds_to_serve: float | None = None
    crowd: Sample | None = None  # 64 connections

    def rate(self, load: str) -> float:
        return median(sample.rate for sample in self.samples[load])

    def facts(self, load: str) -> dict[str, float]:
        samples = self.samples[load]
        rates = [sample.rate for sample in samples]
        return {
            "rate": round(median(rates), 1),
            "lowest": round(min(rates), 1),
            "highest": round(max(rates), 1),
            "p50": round(median(sample.p50 for sample in samples), 2),
            "p99": round(median(sample.p99 for sample in samples), 2),
        }


def as_data(rows: Sequence[Row], machine: dict[str, Any]) -> dict[str, Any]:
    return {
        "machine": machine,
        "variants": {
            row.name: {
                "title": row.title,
                "loads": {load: row.facts(load) for load in row.samples},
                "times_plain": ratios(row, rows),
                "statements": row.statements,
                "megabytes_per_worker": row.megabytes and round(row.megabytes, 1),
                "seconds_to_serve": row.seconds_to_serve and round(row.seconds_to_serve, 2),
                "slowest_of_64": row.crowd and round(row.crowd.slowest_share, 3),
                "p99_of_64": row.crowd and round(row.crowd.p99, 1),
                "refused_of_64": row.crowd and round(row.crowd.failed, 4),
            }
            for row in rows
        },
    }


def ratios(row: Row, rows: Sequence[Row]) -> dict[str, float]:
    """Times the plain variant: the median over rounds of the ratio within each round, where noise is shared."""
    base = next((each for each in rows if each.name == BASE), None)
    found = {}
    for load in row.samples:
        if base and load in base.samples:
            pairs = zip(row.samples[load], base.samples[load], strict=True)
            found[load] = round(median(mine.rate / theirs.rate for mine, theirs in pairs), 2)
    return found


def table(data: dict[str, Any]) -> str:
    """Markdown: requests/s (lowest to highest round), p50 and p99 in ms, and × plain."""
    variants = data["variants"].values()
    loads = [load for load in TITLES if any(load in variant["loads"] for variant in variants)]
    lines = [
        f"| requests/s · p50 / p99 ms | {' | '.join(TITLES[load] for load in loads)} |",
        f"|---|{'---|' * len(loads)}",
    ]
    for variant in variants:
        cells = []
        for load in loads:
            facts = variant["loads"].get(load)
            if facts is None:
                cells.append("")
                continue
            ratio = variant["times_plain"].get(load)
            cells.append(
                f"**{facts['rate']:,.0f}** ({facts['lowest']:,.0f} to {facts['highest']:,.0f}) · "
                f"{facts['p50']:g} / {facts['p99']:g}{f' · ×{ratio:g}' if ratio else ''}"
            )
        lines.append(f"| {variant['title']} | {' | '.join(cells)} |")
    lines += [
        "",
        "| | statements a request | MB a worker | start to first cart, s | 64 connections: slowest, p99 ms, refused |",
        "|---|---|---|---|---|",
    ]
    for variant in variants:
        if variant["seconds_to_serve"] is None:
            continue
        statements = ", ".join(f"{method} {number}" for method, number in variant["statements"].items())
        crowd, slow, refused = (variant[f"{fact}_of_64"] for fact in ("slowest", "p99", "refused"))
        lines.append(
            f"| {variant['title']} | {statements or '-'} | {variant['megabytes_per_worker'] or '-'} | "
            f"{variant['seconds_to_serve']} | {f'{crowd:.0%}, {slow}, {refused:.1%}' if crowd else '-'} |"
        )
    return "\n".join(lines)


BAR, GAP, LEFT, WIDTH = 16, 6, 250, 380


def chart(data: dict[str, Any]) -> str:
    """A bar for each HTTP variant and load: requests a second, on one scale. The constant JSON would dwarf the rest."""
    shown = {name: each for name, each in data["variants"].items() if name not in {"constant", "pgbench"}}
    most = max(facts["rate"] for each in shown.values() for facts in each["loads"].values())
    parts, y = [], 24
    for load, title in TITLES.items():
        measured = [(name, each) for name, each in shown.items() if load in each["loads"]]
        if not measured:
            continue
        parts.append(f'<text x="8" y="{y}" font-weight="bold">{escape(title)}</text>')
        y += GAP + 2
        for name, each in measured:
            rate = each["loads"][load]["rate"]
            width = max(1.0, rate / most * WIDTH)
            colour = "#1a7f5a" if name == "project" else "#9aa5b1"
            parts.append(
                f'<text x="{LEFT - 8}" y="{y + 12}" text-anchor="end">{escape(each["title"])}</text>'
                f'<rect x="{LEFT}" y="{y}" width="{width:.0f}" height="{BAR}" fill="{colour}"/>'
                f'<text x="{LEFT + width + 6:.0f}" y="{y + 12}">{rate:,.0f}</text>'
            )
            y += BAR + GAP
        y += 22
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{LEFT + WIDTH + 80}" height="{y}" '
        'font-family="sans-serif" font-size="12" role="img" aria-label="Requests a second by variant">'
        f'<rect width="100%" height="100%" fill="#ffffff"/>{"".join(parts)}</svg>\n'
    )
