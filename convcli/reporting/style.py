"""The style sheet of an HTML report: light and dark, wide and narrow, on screen and on paper.

Text has a contrast of at least 4.5 to 1 against what it stands on, and colour never says anything alone.
"""

LIGHT = {
    "ground": "#ffffff",
    "raised": "#f4f5f7",
    "text": "#1a1c1f",
    "faint": "#565b63",
    "rule": "#d5d9df",
    "bad": "#b3141d",
    "series-0": "#1a1c1f",
    "series-1": "#a34700",
    "series-2": "#756000",
    "series-3": "#00706a",
    "series-4": "#a3195b",
    "series-5": "#0b5fa5",
    "series-6": "#b3261e",
    "series-7": "#6b3fa0",
    "series-other": "#676d76",
}
DARK = {
    "ground": "#15171a",
    "raised": "#1f2226",
    "text": "#e8eaed",
    "faint": "#a9afb8",
    "rule": "#3a3f46",
    "bad": "#ff8f8a",
    "series-0": "#e8eaed",
    "series-1": "#f0a050",
    "series-2": "#d9c04a",
    "series-3": "#4dc9b5",
    "series-4": "#f07ab0",
    "series-5": "#6cb6ff",
    "series-6": "#ff8a80",
    "series-7": "#c3a1f0",
    "series-other": "#9aa1ab",
}
_COLOURS = 8  # of series; those of a ninth and later ones come round again

_RULES = """
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 1.2rem; max-width: 1120px; background: var(--ground); color: var(--text);
  font: 16px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif; }
h1 { font-size: 1.6rem; margin: 0 0 .2rem; }
h2 { font-size: 1.25rem; margin: 2.4rem 0 .6rem; padding-top: .8rem; border-top: 1px solid var(--rule);
  overflow-wrap: anywhere; }
h3 { font-size: 1rem; margin: 1.4rem 0 .4rem; }
p, ul { margin: .4rem 0; }
ul { padding-left: 1.2rem; }
.bad { color: var(--bad); font-weight: 600; }
.notice { border-left: 4px solid var(--bad); background: var(--raised); padding: .5rem .8rem; margin: .8rem 0; }
/* Where a table goes on beyond the edge, a shadow says so; it is covered once the end is in sight. */
.scroll { overflow-x: auto; background: linear-gradient(to left, var(--ground) 40%, transparent) right / 2rem 100%
  no-repeat local, linear-gradient(to left, var(--rule), transparent) right / 1rem 100% no-repeat scroll; }
table { border-collapse: collapse; font-size: .875rem; font-variant-numeric: tabular-nums; }
caption { text-align: left; color: var(--faint); padding-bottom: .3rem; }
th, td { padding: .3rem .5rem; text-align: right; white-space: nowrap; border-bottom: 1px solid var(--rule); }
thead th { vertical-align: bottom; font-weight: 600; border-bottom: 2px solid var(--rule); }
thead small { display: block; font-weight: 400; color: var(--faint); }
th:first-child, td:first-child { text-align: left; position: sticky; left: 0; background: var(--ground); }
tr.best th, tr.best td, td.best, th.best { font-weight: 700; }
tr.wrong th, tr.wrong td, td.wrong { color: var(--bad); }
th.left, td.left { text-align: left; }
td.left { white-space: normal; overflow-wrap: break-word; max-width: 18rem; }
.chart { display: block; max-width: 100%; height: auto; margin: .6rem 0; }
.chart text { font-size: 13px; fill: var(--text); }
.chart .axis { fill: var(--faint); }
.chart .value { font-weight: 600; }
.chart .label { font-weight: 600; fill: var(--series); }
.grid { stroke: var(--rule); stroke-width: 1; }
.leader { stroke: var(--faint); stroke-width: .8; }
.whisker { stroke: var(--text); stroke-width: 1.5; }
.crossing { stroke: var(--text); stroke-width: 1.2; stroke-dasharray: 3 3; }
.chart .crossing-text { fill: var(--text); font-weight: 600; }
.bar { fill: var(--series); fill-opacity: .55; stroke: var(--series); stroke-width: 1; }
.bar.wrong { fill: none; stroke: var(--bad); stroke-width: 2; stroke-dasharray: 5 3; }
.curve { fill: none; stroke: var(--series); stroke-width: 2; }
.mark { fill: var(--series); stroke: var(--ground); stroke-width: 1; }
.narrow { display: none; }
.legend { display: flex; flex-wrap: wrap; gap: .2rem 1.2rem; list-style: none; padding: 0; font-size: .9rem; }
.key { vertical-align: -2px; margin-right: .3rem; }
.pictures { display: flex; flex-wrap: wrap; gap: 1rem; }
figure { margin: 0; max-width: 100%; display: grid; gap: .3rem;
  grid-template-columns: repeat(2, minmax(0, max-content)); }
figure.alone { grid-template-columns: minmax(0, max-content); }
figure img { max-width: 100%; height: auto; outline: 1px solid var(--rule); outline-offset: -1px; }
figure img.enlarged { image-rendering: pixelated; }
figcaption { grid-column: 1 / -1; font-size: .85rem; width: 0; min-width: 100%; }
.scale { display: grid; grid-template-columns: auto minmax(6rem, 14rem) auto; gap: .6rem; align-items: center;
  margin: .4rem 0 .8rem; font-size: .85rem; width: fit-content; max-width: 100%; }
.scale i { height: .9rem; border: 1px solid var(--rule);
  print-color-adjust: exact; -webkit-print-color-adjust: exact; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .15rem 1rem; font-size: .9rem; }
dt { color: var(--faint); }
dd { margin: 0; overflow-wrap: anywhere; }
@media (max-width: 700px) {
  body { padding: .8rem; }
  .wide { display: none; }
  .narrow { display: block; }
  dl { grid-template-columns: 1fr; }
  dd { margin-bottom: .3rem; }
}
@media print {
  body { max-width: none; padding: 0; font-size: 11pt; }
  .wide { display: block; }
  .narrow { display: none; }
  .scroll { overflow: visible; }
  table { font-size: 7pt; }
  th, td { padding: .2rem .3rem; }
  figure, tr, .chart { break-inside: avoid; }
  h2, h3 { break-after: avoid; }
}
"""


def series_class(number: int | None) -> str:
    """Return the CSS class of the colour of a series; None is the one of all that have no number.

    >>> series_class(3), series_class(11), series_class(None)
    ('s-3', 's-3', 's-other')
    """
    return "s-other" if number is None else f"s-{number % _COLOURS}"


def style_sheet() -> str:
    """Return the whole style sheet; paper is always light."""
    names = [*map(str, range(_COLOURS)), "other"]
    series = "\n".join(f".s-{name} {{ --series: var(--series-{name}); }}" for name in names)
    return (
        f":root {{ color-scheme: light dark; {_variables(LIGHT)} }}\n"
        f"@media screen and (prefers-color-scheme: dark) {{ :root {{ {_variables(DARK)} }} }}\n{series}{_RULES}"
    )


def _variables(colours: dict[str, str]) -> str:
    return " ".join(f"--{name}: {colour};" for name, colour in colours.items())
