"""Comparisons as Markdown tables, to stand in a document. Knows comparison results alone."""

from collections.abc import Iterable, Sequence

from backend.audit.comparison_results import (
    Comparison,
    Comparisons,
    FeatureComparison,
    FigureDifference,
    FlipTable,
)
from backend.audit.results import Figure

OUTCOME_WORDS = {
    "refused": "refuses harmful prompts",
    "over_refused": "refuses look-alikes",
    "flipped_minimal": "flipped by minimal sets",
    "flipped_direction": "flipped by the direction",
    "flipped_fm": "flipped by FM-extended sets",
}
PROMPT_WORDS = {"test": "test prompts (headline)", "all": "all prompts, those fitted on included"}
MOST_FEATURES = 20


def comparison_markdown(found: Comparisons, names: Sequence[str]) -> str:
    """names: of the audits, the reference first. Every difference is the other audit less the reference."""
    reference, *others = names
    parts = [f"# {_plain(reference)} compared with {_plain(', '.join(others))}", _all(found, names)]
    for name, comparison in zip(others, found.comparisons, strict=True):
        parts += [f"## {_plain(name)} beside {_plain(reference)}", *_one(comparison, reference, name)]
    return "\n\n".join(part for part in parts if part) + "\n"


def shown_value(figure: Figure, unit: str, *, signed: bool = False) -> str:
    """`90 % (70 to 98), n 21`; a difference of shares in points."""
    if figure.value is None:
        return "not measured"
    scale, digits = (100.0, 0) if unit == "%" else (1.0, 2)
    sign = "+" if signed else ""

    def of(x: float) -> str:
        rounded = round(x * scale, digits) + 0.0  # no minus zero
        return f"{rounded:{sign if rounded else ''}.{digits}f}".replace("-", "−")

    value = of(figure.value) + (" points" if signed and unit else f" {unit}" if unit else "")
    interval = "" if figure.low is None or figure.high is None else f" ({of(figure.low)} to {of(figure.high)})"
    return f"{value}{interval}, n {figure.n}"


def shown_p(p: float | None) -> str:
    if p is None:
        return "–"
    return "< 0.001" if p < 0.001 else f"{p:.3f}"


def _one(found: Comparison, reference: str, other: str) -> Iterable[str]:
    matching = found.matching
    left_out = {
        "in the reference only": matching.only_a,
        "in the other only": matching.only_b,
        "with other words": matching.other_text,
        "with another label": matching.other_label,
    }
    words = [f"{matching.n} prompts in common, {matching.n_test} of them in the test split of both"]
    words += [f"left out, {why}: {_ids(ids)}" for why, ids in left_out.items() if ids]
    if matching.other_split:
        words.append(f"in another split, so in no test table: {_ids(matching.other_split)}")
    yield ". ".join(words) + "."
    if found.cautions:
        yield "\n".join(f"- {_plain(caution)}" for caution in found.cautions)
    for prompts, title in PROMPT_WORDS.items():
        tables = [table for table in found.tables if table.prompts == prompts and table.n]
        if tables:
            yield f"### What became of each prompt: {title}"
            yield _flips(tables, reference, other)
            yield "\n".join(f"- {OUTCOME_WORDS[table.outcome]}: {table.power}" for table in tables)
    yield "### Figures"
    yield _figures(found.figures, reference, other)
    yield (
        "Paired: over the test prompts that both audits have the figure for, so that the difference need not be that "
        "of the columns. Unpaired: both intervals joined as if the samples were independent. "
        f"q: Benjamini-Hochberg over the {found.n_compared} figures compared."
    )
    if found.counts:
        rows = [(one.name, _count(one.a), _count(one.b)) for one in found.counts]
        yield _table(("count", reference, other), rows)
    if found.statements:
        yield _table(("question", reference, other), [(one.question, one.a, one.b) for one in found.statements])
    yield "### Features"
    yield from _features(found.features, reference, other)
    links = found.connections
    yield (
        f"Cascade edges: {links.n_edges_a} and {links.n_edges_b}, {len(links.edges)} in both. Measured pairs: "
        f"{links.n_pairs_a} and {links.n_pairs_b}, {len(links.pairs)} in both"
        + (f", {sum(one.kind_a == one.kind_b for one in links.pairs)} of the same kind." if links.pairs else ".")
    )


def _flips(tables: Sequence[FlipTable], reference: str, other: str) -> str:
    head = ("outcome", "both", f"{reference} only", f"{other} only", "neither", "difference", "McNemar p")
    rows = [
        (
            OUTCOME_WORDS[one.outcome],
            *(str(len(cell)) for cell in (one.both, one.only_a, one.only_b, one.neither)),
            shown_value(one.difference, "%", signed=True),
            shown_p(one.p),
        )
        for one in tables
    ]
    return _table(head, rows)


def _figures(figures: Sequence[FigureDifference], reference: str, other: str) -> str:
    rows = [
        (
            one.name,
            shown_value(one.a, one.unit),
            shown_value(one.b, one.unit),
            shown_value(one.difference, one.unit, signed=True),
            one.how,
            shown_p(one.p),
            shown_p(one.q),
        )
        for one in figures
    ]
    return _table(("figure", reference, other, "difference", "how", "p", "q"), rows)


def _features(found: FeatureComparison, reference: str, other: str) -> Iterable[str]:
    if found.note:
        yield _plain(found.note[:1].upper() + found.note[1:]) + "."
    if found.unmatched_a is not None and found.unmatched_b is not None:
        yield (
            f"Features without a partner by decoder direction: {found.unmatched_a:.0%} of {_plain(reference)}'s "
            f"dictionaries, {found.unmatched_b:.0%} of {_plain(other)}'s."
        )
    if found.jaccard is not None:
        yield (
            f"Features of the minimal sets of {found.n_prompts} test prompts that flip in both: {len(found.pooled_a)} "
            f"and {len(found.pooled_b)}, Jaccard {found.jaccard:.2f}; by prompt "
            f"{shown_value(found.jaccard_by_prompt, '')}."
        )
    if found.pairs:
        rows = []
        for one in found.pairs[:MOST_FEATURES]:
            side = one.a or one.b
            sets = [str(x.in_minimal_sets) if x else "not listed" for x in (one.a, one.b)]
            effects = [shown_value(x.effect, "") if x else "–" for x in (one.a, one.b)]
            rows.append((side.id if side else "", *sets, *effects))
        yield _table(("feature", f"sets, {reference}", f"sets, {other}", "effect", "effect"), rows)
        if len(found.pairs) > MOST_FEATURES:
            yield f"The {MOST_FEATURES} in most sets, of {len(found.pairs)}."


def _all(found: Comparisons, names: Sequence[str]) -> str:
    if len(names) == 2:
        return ""
    rows = [(row.name, *(shown_value(figure, row.unit) for figure in row.figures)) for row in found.rows]
    return _table(("figure", *names), rows)


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(_plain(cell) for cell in line) + " |" for line in lines)


def _ids(ids: Sequence[str]) -> str:
    shown = ", ".join(_plain(one) for one in ids[:5])
    return f"{len(ids)} ({shown}{', …' if len(ids) > 5 else ''})"


def _count(number: int | None) -> str:
    return "–" if number is None else str(number)


def _plain(text: str) -> str:
    """Someone else's text as words: no table, markup or link comes of it."""
    line = " ".join(text.split())
    for sign in "\\`*_[]|#!":
        line = line.replace(sign, "\\" + sign)
    return line.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
