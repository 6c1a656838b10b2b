"""Draws docs/performance.svg from what `make bench` measured (target/bench/invocations.json).

Bars as ratios of the jsonwebtoken minimum, since microseconds say nothing about another machine. Standard library only.
"""

import json
import sys
from html import escape
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
MINIMUM = "jsonwebtoken minimum"
NAMES = {  # program -> its name in the plot, in the order of the bars
    "constant answer": "constant answer",
    "authorizer": "this authorizer",
    MINIMUM: "jsonwebtoken minimum",
    "aws-jwt-verify on Node": "aws-jwt-verify, Node",
}
PANELS = [  # title, where the figures are, which one, its aim
    ("An invocation, a new token", ("warm", "never seen"), "p50_us", 0.80),
    ("The same, CPU", ("warm", "never seen"), "cpu_us", 0.80),
    ("An invocation, a known token", ("warm", "one"), "p50_us", None),
    ("A cold start to its first answer", ("cold", None), "answer_p50_us", 0.40),
    ("Peak memory", ("warm", "never seen"), "peak_memory_kib", 1.20),
]
WIDTH, LABEL, BAR, GAP, PANEL_GAP, LIMIT = 760, 170, 18, 6, 46, 3.0
COLOURS = {"authorizer": "#1f6feb"}


def figures(results: dict, place: tuple, key: str) -> dict:
    kind, tokens = place
    rows = [row for row in results[kind] if tokens is None or row["tokens"] == tokens]
    return {row["program"]: row[key] for row in rows if row["program"] in NAMES}


def panel(y: int, title: str, found: dict, aim: float | None) -> tuple[list[str], int]:
    scale = (WIDTH - LABEL - 90) / LIMIT
    lines = [f'<text x="0" y="{y}" class="title">{escape(title)}</text>']
    top = y + 10
    y = top
    for program, name in NAMES.items():
        if program not in found:
            continue
        ratio = found[program] / found[MINIMUM]
        length = min(ratio, LIMIT) * scale
        colour = COLOURS.get(program, "#8b949e")
        cut = " →" if ratio > LIMIT else ""
        lines += [
            f'<text x="{LABEL - 8}" y="{y + 14}" class="name">{escape(name)}</text>',
            f'<rect x="{LABEL}" y="{y}" width="{length:.1f}" height="{BAR}" fill="{colour}"/>',
            f'<text x="{LABEL + length + 6:.1f}" y="{y + 14}">{ratio:.2f}{cut}</text>',
        ]
        y += BAR + GAP
    if aim is not None:
        x = LABEL + aim * scale
        lines.append(f'<line x1="{x:.1f}" y1="{top - 3}" x2="{x:.1f}" y2="{y}" class="aim"/>')
        lines.append(f'<text x="{x + 4:.1f}" y="{top - 5}" class="aim-text">aim {aim:.2f}</text>')
    return lines, y


def draw(results: dict) -> str:
    body, y = [], 24
    for title, place, key, aim in PANELS:
        found = figures(results, place, key)
        if MINIMUM in found:
            lines, y = panel(y, title, found, aim)
            body += lines
            y += PANEL_GAP - GAP
    style = (
        "text{font:13px sans-serif;fill:#57606a}.title{font-weight:bold}.name{text-anchor:end}"
        ".aim{stroke:#cf222e;stroke-dasharray:4 3}.aim-text{fill:#cf222e;font-size:11px}"
    )
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {y}" role="img" '
        'aria-label="Ratios of the jsonwebtoken minimum; shorter is better">'
    )
    note = f'<text x="0" y="{y - 12}">Ratios of the jsonwebtoken minimum in one run of make bench; shorter is better.</text>'
    return "\n".join([head, f"<style>{style}</style>", *body, note, "</svg>", ""])


def main() -> None:
    source = Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "target/bench/invocations.json"
    target = ROOT / "docs/performance.svg"
    target.write_text(draw(json.loads(source.read_text())))
    print(f"{source} -> {target}")


if __name__ == "__main__":
    main()
