"""The report: a row for each event, and a chart of the answers over time."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from html import escape
from itertools import pairwise

from proofs.cluster.traffic import Sample

BAR_TEXT = "▁▂▃▄▅▆▇█"


@dataclass(frozen=True, slots=True)
class Window:
    """One time that an event was done: from when to when, on the monotonic clock."""

    event: str
    begun: float
    ended: float


@dataclass
class Row:
    """An event, all its times together."""

    title: str
    times: int = 0
    back: list[float] = field(default_factory=list)  # seconds, of each time
    statuses: Counter[int] = field(default_factory=Counter)
    reads: int = 0
    reads_failed: int = 0
    failed: int = 0  # answers that were no success, and no 4xx that is expected
    longest: float = 0.0  # seconds that one answer took
    lost: int = 0
    differing: int = 0
    faults: list[str] = field(default_factory=list)

    @property
    def share_of_reads(self) -> float:
        return 1 - self.reads_failed / self.reads if self.reads else 1.0


def within(samples: Sequence[Sample], window: Window) -> list[Sample]:
    """What was answered in it, or asked in it."""
    return [each for each in samples if window.begun <= each.at and each.at - each.seconds <= window.ended]


def without_a_write(samples: Sequence[Sample], window: Window) -> float:
    """The longest that any customer went without an acknowledged write: seconds. What a failover costs.

    A customer who wrote nothing in the window went without for the whole of it.
    """
    longest = 0.0
    for client in {each.client for each in samples if each.kind == "write"}:
        acknowledged = sorted(
            each.at
            for each in samples
            if each.client == client
            and each.kind == "write"
            and each.succeeded
            and window.begun <= each.at <= window.ended
        )
        longest = max(longest, *(b - a for a, b in pairwise([window.begun, *acknowledged, window.ended])))
    return longest


def add_up(row: Row, samples: Sequence[Sample], window: Window) -> None:
    seen = within(samples, window)
    row.times += 1
    row.back.append(without_a_write(samples, window))
    row.statuses.update(each.status for each in seen)
    reads = [each for each in seen if each.kind == "catalogue"]
    row.reads += len(reads)
    row.reads_failed += sum(not each.succeeded for each in reads)
    row.failed += sum(not each.succeeded and not 400 <= each.status < 500 for each in seen)
    row.longest = max([row.longest, *(each.seconds for each in seen)])
    row.faults += [each.fault for each in seen if each.fault]


def table(rows: Sequence[Row]) -> str:
    """Markdown."""
    lines = [
        "| event | times | longest without a write, s: worst (each) | catalogue answered | answers by status "
        "| slowest answer, s | writes lost | carts differing |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for row in rows:
        each = ", ".join(f"{seconds:.1f}" for seconds in row.back)
        statuses = ", ".join(f"{status or 'none'}: {count:,}" for status, count in sorted(row.statuses.items()))
        lines.append(
            f"| {row.title} | {row.times} | **{max(row.back, default=0):.1f}** ({each}) | {row.share_of_reads:.2%} of "
            f"{row.reads:,} | {statuses} | {row.longest:.1f} | {row.lost} | {row.differing} |"
        )
    return "\n".join(lines)


def buckets(samples: Sequence[Sample], begun: float, seconds: float, width: float) -> Iterator[Counter[str]]:
    """Answers in each stretch of `width` seconds: reads, writes and failures."""
    counted = [Counter[str]() for _ in range(int(seconds / width) + 1)]
    for each in samples:
        number = int((each.at - begun) / width)
        if 0 <= number < len(counted):
            kind = "failures" if not each.succeeded and not 400 <= each.status < 500 else "reads"
            counted[number]["writes" if kind == "reads" and each.kind == "write" else kind] += 1
    yield from counted


def sparkline(counts: Sequence[int]) -> str:
    most = max([1, *counts])
    return "".join(" " if not count else BAR_TEXT[min(7, count * 8 // (most + 1))] for count in counts)


LEFT, WIDTH, HEIGHT, TOP, BETWEEN = 80, 1000, 110, 30, 34
LANES = (("reads", "#9aa5b1"), ("writes", "#1a7f5a"), ("failures", "#c0392b"))


def chart(samples: Sequence[Sample], windows: Sequence[Window], titles: dict[str, str]) -> str:
    """Three lanes over one time: reads, acknowledged writes, and answers that were 503, each a second."""
    if not samples:
        return ""
    begun = min(each.at for each in samples)
    seconds = max(each.at for each in samples) - begun or 1.0
    width = max(0.5, seconds / 500)
    counted = list(buckets(samples, begun, seconds, width))
    scale = WIDTH / seconds
    legend = TOP + len(LANES) * (HEIGHT + BETWEEN)
    parts = []
    names = list(dict.fromkeys(window.event for window in windows))
    for window in windows:
        x, wide = LEFT + (window.begun - begun) * scale, max(1.0, (window.ended - window.begun) * scale)
        parts.append(
            f'<rect x="{x:.1f}" y="{TOP - 12}" width="{wide:.1f}" height="{legend - TOP}" fill="#f3e9d2"/>'
            f'<text x="{x + 2:.1f}" y="{TOP - 1}">{names.index(window.event) + 1}</text>'
        )
    for number, (lane, colour) in enumerate(LANES):
        top = TOP + number * (HEIGHT + BETWEEN) + 6
        rates = [count[lane] / width for count in counted]
        most = max([1.0, *rates])
        points = " ".join(
            f"{LEFT + (index + 0.5) * width * scale:.1f},{top + HEIGHT - rate / most * HEIGHT:.1f}"
            for index, rate in enumerate(rates)
        )
        parts.append(
            f'<line x1="{LEFT}" x2="{LEFT + WIDTH}" y1="{top + HEIGHT}" y2="{top + HEIGHT}" stroke="#cccccc"/>'
            f'<polyline fill="none" stroke="{colour}" stroke-width="1.3" points="{points}"/>'
            f'<text x="{LEFT - 6}" y="{top + 10}" text-anchor="end">{most:,.0f}/s</text>'
            f'<text x="{LEFT - 6}" y="{top + HEIGHT}" text-anchor="end">{lane}</text>'
        )
    for minute in range(int(seconds // 60) + 1):
        x = LEFT + minute * 60 * scale
        parts.append(f'<text x="{x:.1f}" y="{legend}" text-anchor="middle">{minute} min</text>')
    for number, name in enumerate(names):
        x, y = LEFT + number % 2 * WIDTH / 2, legend + 22 + number // 2 * 16
        parts.append(f'<text x="{x:.0f}" y="{y}">{number + 1}: {escape(titles.get(name, name))}</text>')
    height = legend + 30 + (len(names) + 1) // 2 * 16
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{LEFT + WIDTH + 20}" height="{height}" '
        'font-family="sans-serif" font-size="11" role="img" aria-label="Answers a second while parts are broken">'
        f'<rect width="100%" height="100%" fill="#ffffff"/>{"".join(parts)}</svg>\n'
    )
