"""A report as one HTML file that opens from disk: styles, scripts, figures, manifest and all inside, no request made.

Knows results and the template beside it; draws nothing itself: figures come in as plotly JSON. Completions under
intervention are masked; a baseline refusal's words are shown as the report holds them. Every value is escaped by
the template, and a content-security policy lets only the two scripts shipped here run.
"""

import json
from base64 import b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from importlib.resources import files
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from backend.audit.claimed_sets import claimed_set
from backend.audit.results import ArmFigures, Feature, PromptResult, Report
from backend.reports.card_figures import card_figures
from backend.reports.html import words
from backend.reports.outcomes import outcome, random_flips

PROMPTS_SHOWN, FEATURES_SHOWN = 1000, 500  # beyond these a browser is slow; the rest is in the JSON and the CSV
SCRIPTS = ("plotly-cartesian.min.js", "report.js")


@dataclass(frozen=True)
class HtmlFigure:
    """One interactive figure of the report."""

    title: str
    caption: str  # what it shows, with units
    plotly: str  # `plotly.graph_objects.Figure.to_json()`; its labels are escaped by whoever drew it


@dataclass(frozen=True)
class HtmlAnswer:
    """One question an auditor asks first."""

    question: str
    word: str  # yes, no, undecided, not measured; empty where an older report has no answer
    sentence: str  # the figures behind it
    rule: str  # that the answer follows from, in words; empty where there is no answer


@dataclass(frozen=True)
class HtmlArm:
    """One arm of the verification in words."""

    label: str
    words: str  # what is done


@dataclass(frozen=True)
class HtmlWords:
    """What the caller says around the figures of the report."""

    answers: Sequence[HtmlAnswer] = ()  # shown in order
    no_answers: str = ""  # said above them where the report has none of its own
    arms: Mapping[str, HtmlArm] = field(default_factory=dict)  # of the verification, in order; others are not shown
    glossary: Mapping[str, str] = field(default_factory=dict)  # term -> definition, printed at the end


def render_html(report: Report, said: HtmlWords, figures: Sequence[HtmlFigure]) -> str:
    """The whole file as text (UTF-8), about 1.6 MB with the chart library.

    figures: made by the caller, shown in order. Serve it as an attachment (`Content-Disposition: attachment`): a
    server's content-security policy would stop its scripts.
    """
    template = _environment().get_template("report.html.j2")
    scripts = [_read(name) for name in SCRIPTS]
    audited = [p for p in report.prompts if p.controls is not None]
    return template.render(
        report=report,
        policy=_policy(scripts),
        style=Markup(_read("report.css")),
        scripts=[Markup(script) for script in scripts],
        answers=said.answers,
        no_answers=said.no_answers,
        arms=_arms(report, said.arms),
        card=card_figures(report.report_card),
        figures=[(figure, _inert(json.loads(figure.plotly))) for figure in figures],
        n_audited=len(audited),
        prompts=[(p, outcome(p), claimed_set(p), random_flips(p)) for p in _prompts_first(report)[:PROMPTS_SHOWN]],
        features=_features_first(report)[:FEATURES_SHOWN],
        pairs=report.interactions.pairs,
        manifest=json.dumps(_manifest(report), indent=1, ensure_ascii=False),
        glossary=sorted(said.glossary.items()),
    )


def _arms(report: Report, arms: Mapping[str, HtmlArm]) -> list[tuple[str, str, ArmFigures]]:
    measured = report.verification.arms if report.verification is not None else {}
    return [(arm.label, arm.words, measured[name]) for name, arm in arms.items() if name in measured]


def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("backend.reports", "html"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(
        number=words.number, percent=words.percent, value=words.figure_value, interval=words.figure_interval
    )
    return environment


def _read(name: str) -> str:
    return files("backend.reports.html").joinpath(name).read_text("utf-8")


def _policy(scripts: Sequence[str]) -> str:
    hashes = " ".join(f"'sha256-{b64encode(sha256(s.encode()).digest()).decode()}'" for s in scripts)
    return (
        f"default-src 'none'; script-src {hashes}; style-src 'unsafe-inline'; img-src data: blob:; "
        "base-uri 'none'; form-action 'none'"
    )


def _inert(value: Any) -> Markup:
    """JSON that cannot end its script element, whatever text is in it."""
    text = json.dumps(value, ensure_ascii=False, allow_nan=False)
    for character in "<>&\u2028\u2029":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return Markup(text)


def _prompts_first(report: Report) -> list[PromptResult]:
    """Audited prompts before the others, each in the audit's order."""
    return sorted(report.prompts, key=lambda p: p.controls is None)


def _features_first(report: Report) -> list[Feature]:
    """Those of most minimal sets first, then by cosine."""
    return sorted(report.features, key=lambda f: (-f.in_minimal_sets, -f.cosine))


def _manifest(report: Report) -> dict[str, Any]:
    manifest = report.manifest
    names = ("subject", "saes", "prompts", "judge", "code", "settings", "seed", "device", "timings")
    return {"schema_version": report.schema_version, **{name: getattr(manifest, name) for name in names}}
