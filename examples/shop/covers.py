"""Covers for books that have none: an SVG of title, author and genre, the same each time."""

from hashlib import sha256
from textwrap import wrap
from xml.sax.saxutils import escape

# Paper, ink and accent; a genre has two of them, so that its books look like a series.
PALETTES = (
    ("#f3e9d2", "#2b2118", "#b5452c"),
    ("#20303f", "#f4ead7", "#d8a24a"),
    ("#dfe5dc", "#22302a", "#4f7a5b"),
    ("#3c1f2b", "#f6e7dc", "#d97b66"),
    ("#e9dfe6", "#2f2438", "#7d4f87"),
    ("#12343b", "#f2e8cf", "#e1b382"),
    ("#efe6c8", "#1f2a36", "#37668f"),
    ("#2a2a33", "#ece7df", "#9fb8ad"),
)
WIDTH, HEIGHT = 200, 300


def draw(title: str, author: str, genre: str) -> str:
    """The cover's SVG. Any text: it is escaped, and cut where it does not fit."""
    seed = sha256(f"{title}\n{author}".encode()).digest()
    paper, ink, accent = PALETTES[(sha256(genre.encode()).digest()[0] + seed[9] % 2) % len(PALETTES)]
    size = 24 if len(title) <= 28 else 19
    lines = wrap(title, 13 if size == 24 else 16) or [""]
    lines = [*lines[:5], "…"] if len(lines) > 6 else lines
    heading = "".join(f'<tspan x="20" dy="{size + 5}">{escape(line[:20])}</tspan>' for line in lines)
    by = "".join(f'<tspan x="20" dy="16">{escape(line[:28])}</tspan>' for line in wrap(author, 26)[:2])
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}">'
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="{paper}"/>{ORNAMENTS[seed[0] % len(ORNAMENTS)](seed, accent)}'
        f'<rect width="7" height="{HEIGHT}" fill="{accent}"/>'
        f'<g font-family="Georgia, serif" fill="{ink}">'
        f'<text y="22" font-size="{size}" font-weight="700">{heading}</text>'
        f'<text y="252" font-size="13">{by}</text></g>'
        f'<text x="20" y="{HEIGHT - 8}" font-family="sans-serif" font-size="8" letter-spacing="1.5" fill="{ink}" '
        f'opacity=".7">{escape(genre.upper()[:30])}</text></svg>'
    )


def circles(seed: bytes, color: str) -> str:
    center = 60 + seed[1] % 90
    return "".join(
        f'<circle cx="{center}" cy="215" r="{radius}" fill="none" stroke="{color}" stroke-width="2" opacity=".75"/>'
        for radius in range(8, 20 + seed[2] % 40, 8)
    )


def hills(seed: bytes, color: str) -> str:
    return "".join(
        f'<path d="M0 {190 + 14 * row} Q{40 + seed[row + 1] % 60} {150 + seed[row + 4] % 50 + 10 * row} '
        f'100 {200 + 10 * row} T200 {195 + 12 * row} V240 H0Z" fill="{color}" opacity="{0.25 + 0.2 * row:.2f}"/>'
        for row in range(3)
    )


def rays(seed: bytes, color: str) -> str:
    step = 10 + seed[1] % 8
    return "".join(
        f'<path d="M{x} 240 L{100 + (x - 100) // 4} 190" stroke="{color}" stroke-width="2" opacity=".8"/>'
        for x in range(20, 181, step)
    )


def tiles(seed: bytes, color: str) -> str:
    return "".join(
        f'<rect x="{20 + 20 * column}" y="{180 + 20 * row}" width="16" height="16" fill="{color}" '
        f'opacity="{0.2 + (seed[row * 8 + column + 3] % 70) / 100:.2f}"/>'
        for row in range(3)
        for column in range(8)
    )


ORNAMENTS = (circles, hills, rays, tiles)
