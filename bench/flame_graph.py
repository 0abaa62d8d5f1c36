#!/usr/bin/env python3
"""Draws a flame graph (SVG) of what `perf script` prints: perf script -i DATA | bench/flame_graph.py TITLE > FILE.svg

Widths are shares of the samples. Only samples count whose stacks hold --through NAME, if it is given."""
import html
import re
import sys

WIDTH, ROW, LEAST = 1600, 17, 0.0008


def stacks(lines, through):
    """Each sample's functions, the outermost first."""
    frames, counts = [], not through
    for line in lines:
        if line.strip():
            counts = counts or through in line
            if line[0] in " \t" and (frame := re.match(r"\s+[0-9a-f]+ (.+?)(?:\+0x[0-9a-f]+)? \(([^()]*)\)\s*$", line)):
                frames.append(short(frame.group(1), frame.group(2)))
            continue
        if frames and counts:
            yield frames[::-1]
        frames, counts = [], not through


def short(symbol, module):
    if symbol == "[unknown]":
        return "[" + module.rsplit("/", 1)[-1] + "]"
    while (plain := re.sub(r"<[^<>]*>|\([^()]*\)", "", symbol)) != symbol:
        symbol = plain
    return symbol


def tree_of(samples):
    root = [0, {}]
    for stack in samples:
        root[0] += 1
        node = root
        for name in stack:
            node = node[1].setdefault(name, [0, {}])
            node[0] += 1
    return root


def draw(name, node, total, left, depth, out):
    share = node[0] / total
    if share < LEAST:
        return depth
    x, width = left * WIDTH, share * WIDTH
    text = html.escape(name)
    room = int(width / 7)
    hue = 20 + hash_of(name) % 40
    out.append(
        f'<g><title>{text}: {100 * share:.1f} %</title><rect x="{x:.1f}" y="{depth * ROW}" width="{width:.1f}" '
        f'height="{ROW - 1}" fill="hsl({hue},80%,65%)"/>'
        + (f'<text x="{x + 3:.1f}" y="{depth * ROW + 12}">{html.escape(name[:room])}</text>' if room > 3 else "") + "</g>")
    deepest = depth
    for child, below in sorted(node[1].items()):
        deepest = max(deepest, draw(child, below, total, left, depth + 1, out))
        left += below[0] / total
    return deepest


def hash_of(name):
    return sum(ord(c) * (i + 1) for i, c in enumerate(name))


def main():
    arguments = sys.argv[1:]
    through = arguments[arguments.index("--through") + 1] if "--through" in arguments else ""
    root = tree_of(stacks(sys.stdin, through))
    if root[0] == 0:
        sys.exit("no samples")
    out = []
    deepest = draw(f"{arguments[0]}, {root[0]} samples", root, root[0], 0.0, 0, out)
    print(f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {(deepest + 1) * ROW}" '
          'font-family="monospace" font-size="11">' + "\n".join(out) + "</svg>")


sys.setrecursionlimit(10_000)
main()
