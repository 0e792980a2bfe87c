"""`refusalscope compare`: audits of the same prompts beside each other, as tables, JSON or Markdown. Wiring only."""

import json
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table

from app.report import read_audit
from backend.audit.comparison import compare_all
from backend.audit.comparison_features import other_layers, sae_hashes
from backend.audit.comparison_results import Comparison, Comparisons, DecoderMatch
from backend.audit.results import Report
from backend.errors import BadInput
from backend.reports.comparison_text import OUTCOME_WORDS, PROMPT_WORDS, comparison_markdown, shown_p, shown_value
from backend.reports.report_json import plain
from backend.reports.whole_file import write_whole

SCHEMA_VERSION = "1.0"
SUFFIXES = (".json", ".md")
MOST_FEATURES = 12  # in the terminal


def run(
    *, audits: Sequence[str], output: Path | None, match_features: bool, data: Path | None, database: str | None
) -> None:
    """Show the comparison, and write it whole or not at all. Raises BadInput or OutputError, one line."""
    if output is not None and output.suffix not in SUFFIXES:
        raise BadInput(f"--output {output}: name a .json or .md file")
    if len(audits) < 2:
        raise BadInput("AUDIT: name two or more to compare, the reference first")
    reports = [read_audit(audit, data, database) for audit in audits]
    reference, *others = reports
    matches = [_matches(reference, other) if match_features else [] for other in others]
    found, names = compare_all(reports, matches), _names(audits, reports)
    console = Console()
    for name, comparison in zip(names[1:], found.comparisons, strict=True):
        _show(console, comparison, names[0], name)
    if output is not None:
        text = comparison_markdown(found, names) if output.suffix == ".md" else _json(found, names)
        write_whole(output, text.encode("utf-8"), "--output")
        console.print(str(output), markup=False, highlight=False, soft_wrap=True)


def _names(audits: Sequence[str], reports: Sequence[Report]) -> list[str]:
    """What to call each audit: its subject, where that tells them apart."""
    subjects = [str(report.manifest.subject.get("id", "")) for report in reports]
    return subjects if len(set(subjects)) == len(subjects) and all(subjects) else [str(audit) for audit in audits]


def _json(found: Comparisons, names: Sequence[str]) -> str:
    whole = {"schema_version": SCHEMA_VERSION, "audits": list(names), **plain(found)}
    return json.dumps(whole, indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def _matches(a: Report, b: Report) -> list[DecoderMatch]:
    """Decoder matches of the layers whose SAEs differ. Loads those SAEs from where the reports say they are."""
    layers = other_layers(a, b)
    if not layers:
        return []
    from backend.audit.feature_matching import match_decoders
    from backend.subjects.decoders import load_decoder  # loads torch

    shapes = [(report.manifest.subject.get("d_model"), report.manifest.subject.get("n_layers")) for report in (a, b)]
    if shapes[0] != shapes[1] or None in shapes[0]:
        raise BadInput(
            "--match-features: the two models have different residual streams, so that directions cannot be compared; "
            "leave it out"
        )
    (d_model, n_layers), found = shapes[0], []
    for layer in layers:
        rows = [
            load_decoder(
                str(report.manifest.saes.get("source", {}).get(str(layer), "")),
                sae_hashes(report)[layer],
                layer,
                d_model,
                n_layers,
            )
            for report in (a, b)
        ]
        found.append(match_decoders(layer, *rows))
    return found


def _show(console: Console, found: Comparison, reference: str, other: str) -> None:
    def say(text: str) -> None:
        console.print(text, markup=False, highlight=False, soft_wrap=True)

    say(f"{other} beside {reference}: {found.matching.n} prompts in common, {found.matching.n_test} test prompts")
    for caution in found.cautions:
        say(f"note: {caution}")
    for prompts, title in PROMPT_WORDS.items():
        tables = [table for table in found.tables if table.prompts == prompts and table.n]
        flips = _table(title, ("outcome", "both", "reference only", "other only", "neither", "difference", "p"))
        for one in tables:
            cells = [str(len(cell)) for cell in (one.both, one.only_a, one.only_b, one.neither)]
            difference = shown_value(one.difference, "%", signed=True)
            flips.add_row(OUTCOME_WORDS[one.outcome], *cells, difference, shown_p(one.p))
        if tables:
            console.print(flips)
    for table in found.tables:
        if table.prompts == "test" and table.outcome == "flipped_minimal" and table.n:
            say(table.power)
    figures = _table("figures, test split", ("figure", "reference", "other", "difference", "how", "p", "q"))
    for figure in found.figures:
        unit = figure.unit
        shown = [shown_value(figure.a, unit), shown_value(figure.b, unit)]
        difference = shown_value(figure.difference, unit, signed=True)
        figures.add_row(figure.name, *shown, difference, figure.how, shown_p(figure.p), shown_p(figure.q))
    console.print(figures)
    say(f"q: Benjamini-Hochberg over the {found.n_compared} figures compared")
    features = found.features
    if features.note:
        say(f"note: {features.note}")
    if features.jaccard is not None:
        say(
            f"features of minimal sets, {features.n_prompts} prompts: {len(features.pooled_a)} and "
            f"{len(features.pooled_b)}, Jaccard {features.jaccard:.2f}"
        )
    if features.pairs:
        key = _table("features in minimal sets", ("feature", "sets, reference", "sets, other", "effects"))
        for pair in features.pairs[:MOST_FEATURES]:
            sides = (pair.a, pair.b)
            sets = [str(side.in_minimal_sets) if side else "not listed" for side in sides]
            effects = " / ".join(shown_value(side.effect, "") if side else "–" for side in sides)
            key.add_row(next(side.id for side in sides if side), *sets, effects)
        console.print(key)


def _table(title: str, columns: Sequence[str]) -> Table:
    table = Table(title=title, title_justify="left")
    for place, column in enumerate(columns):
        table.add_column(column, justify="left" if place == 0 else "right")
    return table
