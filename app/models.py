"""`refusalscope models list | fetch | check | add | remove`: which subjects there are, bringing them here, whether one
is fit, and others made known to the service.

Errors are raised as RefusalscopeError for the command line to show; heavy libraries are imported by the commands.
"""

import re
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from app.store_options import Data, Url

if TYPE_CHECKING:
    from backend.store.database import Database, Session
    from backend.subjects.check import SubjectCheck
    from backend.subjects.sae_quality import Quality

models = typer.Typer(help="Subjects: list, fetch, check, add, remove.", no_args_is_help=True)
console = Console()

ID = re.compile(r"[a-z0-9][a-z0-9-]{0,39}")


@models.command("list")
def list_models() -> None:
    """Show the subjects that come with Refusalscope, and how to name others."""
    from backend.errors import SubjectError
    from backend.subjects.bundled.fetch import fetched
    from backend.subjects.catalogue import BUNDLED_SUBJECTS, PLANTED_SUBJECTS

    state, problem = "ready", None
    try:
        fetched()
    except SubjectError as error:
        state, problem = "not ready", str(error)
    table = Table("id", "what it is", "state", box=None, pad_edge=False)
    for subject in BUNDLED_SUBJECTS.values():
        table.add_row(subject.id, subject.description, state)
    for name, description in PLANTED_SUBJECTS.items():
        table.add_row(name, description, "ready")
    console.print(table)
    if problem is not None:
        console.print(problem, highlight=False, markup=False, soft_wrap=True)
    console.print("Any causal LM: --subject DIRECTORY_OR_HUB_ID --saes DIRECTORY_OR_RELEASE:PATTERN", highlight=False)


@models.command("fetch")
def fetch_models(
    force: Annotated[bool, typer.Option("--force", help="Make the files anew, also when they are there.")] = False,
) -> None:
    """Bring the bundled subjects into the data directory (REFUSALSCOPE_DATA, or the platform's place)."""
    from backend.subjects.bundled.fetch import fetch
    from backend.subjects.catalogue import BUNDLED_SUBJECTS

    files = fetch(lambda line: console.print(line, highlight=False), force=force)
    console.print(f"ready in {files.base.parent}: {', '.join(BUNDLED_SUBJECTS)}", highlight=False, soft_wrap=True)


@models.command("check")
def check_model(
    subject: Annotated[str, typer.Argument(help="A subject's id, a directory or a hub id.")],
    saes: Annotated[
        str | None, typer.Option(help="A directory of sae-lens SAEs, or RELEASE:PATTERN with * for the layer.")
    ] = None,
    layers: Annotated[
        str | None, typer.Option(help="Layers to check, e.g. 9,12,15; all with an SAE by default.")
    ] = None,
    prompts: Annotated[str, typer.Option(help="Chat texts to measure on: a prompt file or bundled:SUBSET.")] = (
        "bundled:demo"
    ),
    device: Annotated[Literal["auto", "cpu", "cuda"], typer.Option(help="Where the model runs.")] = "auto",
    dtype: Annotated[
        Literal["auto", "float32", "bfloat16"], typer.Option(help="auto: float32 on cpu, bfloat16 on cuda.")
    ] = "auto",
) -> None:
    """Measure a subject's SAEs on chat text and check its template. Exit 1 when an audit of it would mislead."""
    from backend.prompts.load import load_prompts
    from backend.subjects.check import check_subject
    from backend.subjects.subject import load_subject

    texts = [prompt.text for prompt in load_prompts(prompts).prompts if not prompt.borrowed]
    loaded = load_subject(subject, saes, parse_layers(layers), device, dtype)
    with Progress(console=console, transient=True) as progress:
        task = progress.add_task("reading chats", total=len(texts))
        check = check_subject(loaded, texts, on_text=lambda done, total: progress.update(task, completed=done))
    console.print(quality_table(check), classes_table(check))
    for finding in check.findings:
        console.print(f"{finding.level}: {finding.text}", highlight=False, markup=False, soft_wrap=True)
    if check.ok:
        console.print(f"{subject}: fit for an audit ({len(check.findings)} warnings)", highlight=False, markup=False)
    raise typer.Exit(0 if check.ok else 1)


@models.command("add")
def add_model(
    subject_id: Annotated[str, typer.Argument(metavar="ID", help="What to call it: a-z, 0-9 and dashes, at most 40.")],
    subject: Annotated[str, typer.Option(help="A model folder or a hub id.")],
    saes: Annotated[str, typer.Option(help="A directory of sae-lens SAEs, or RELEASE:PATTERN with * for the layer.")],
    layers: Annotated[
        str | None, typer.Option(help="Layers to audit, e.g. 9,12,15; all with an SAE by default.")
    ] = None,
    data: Data = None,
    database: Url = None,
) -> None:
    """Let the service audit a model of your own. It is loaded once with its SAEs, to see that they fit."""
    from backend.store import subjects
    from backend.subjects.subject import load_subject

    _check_id(subject_id)
    source, sae_source = _absolute(subject), _absolute(saes)
    with _opened(data, database) as store:
        with store.reading() as session:
            _refuse_taken(session, subject_id, source, sae_source)
        with console.status(f"loading {subject}"):
            loaded = load_subject(source, sae_source, parse_layers(layers))
        found, description = list(loaded.saes), f"{source} with SAEs of {sae_source}"
        with store.transaction() as session:
            _refuse_taken(session, subject_id, source, sae_source, found)
            subjects.add(
                session, subject_id, kind="added", description=description, source=source, saes=sae_source, layers=found
            )
    audited = ", ".join(map(str, found))
    line = f"added {subject_id}: {description}, layers {audited}"
    console.print(line, highlight=False, markup=False, soft_wrap=True)


@models.command("remove")
def remove_model(
    subject_id: Annotated[str, typer.Argument(metavar="ID", help="Of a subject that was added.")],
    data: Data = None,
    database: Url = None,
) -> None:
    """Take an added subject from the service again. Its files stay; refused while an audit names it."""
    from backend.errors import BadInput
    from backend.store import subjects

    with _opened(data, database) as store, store.transaction() as session:
        if not subjects.delete(session, subject_id):
            added = [row.id for row in subjects.list_subjects(session, kind="added", limit=20).items]
            raise BadInput(f"ID {subject_id}: not a subject that was added; there are: {', '.join(added) or 'none'}")
    console.print(f"removed {subject_id}", highlight=False, markup=False)


def _check_id(subject_id: str) -> None:
    from backend.errors import BadInput
    from backend.subjects.catalogue import BUNDLED_SUBJECTS, PLANTED_SUBJECTS

    if ID.fullmatch(subject_id) is None:
        raise BadInput(f"ID {subject_id}: use a-z, 0-9 and dashes, at most 40, a letter or digit first")
    if subject_id in BUNDLED_SUBJECTS or subject_id in PLANTED_SUBJECTS:
        raise BadInput(f"ID {subject_id}: it comes with Refusalscope; choose another")


def _refuse_taken(
    session: "Session", subject_id: str, source: str, saes: str, layers: Sequence[int] | None = None
) -> None:
    """Raises BadInput when the id is another subject's. layers: None before they are known."""
    from backend.errors import BadInput
    from backend.store import subjects

    row = subjects.get(session, subject_id)
    if row is None or ((row.source, row.saes) == (source, saes) and layers in (None, row.layers)):
        return
    of = ", ".join(map(str, row.layers or ()))
    raise BadInput(
        f"ID {subject_id}: it is {row.description}, layers {of}; choose another, or first run refusalscope models "
        f"remove {subject_id}"
    )


def _absolute(name: str) -> str:
    """A folder by its whole path, for the worker may run elsewhere; the name of something published as it is."""
    return str(Path(name).resolve()) if Path(name).is_dir() else name


def _opened(data: Path | None, url: str | None) -> "closing[Database]":
    from app.settings import read_settings
    from backend.store.database import Database

    settings = read_settings(data=data, database=url)
    return closing(Database.open(settings.database, settings.data))


def parse_layers(text: str | None) -> list[int] | None:
    """`9,12,15` -> [9, 12, 15], ascending, each once; raises BadInput."""
    from backend.errors import BadInput

    if text is None:
        return None
    try:
        return sorted({int(part) for part in text.split(",")})
    except ValueError as error:
        raise BadInput(f"--layers {text}: give numbers with commas between them, e.g. 9,12,15") from error


def quality_table(check: "SubjectCheck") -> Table:
    """One line per layer; FVU is the fraction of variance the SAE leaves unexplained."""
    table = Table(title=f"{check.subject}: SAEs on {check.n_texts} chats, attention sink left out")
    for heading in ("layer", "tokens", "FVU", "L0", "never active", "mean norm", "expected norm"):
        table.add_column(heading, justify="right")
    for layer in check.layers:
        overall = layer.overall
        expected = "any" if layer.scale_free else "unknown"
        if layer.expected_norm is not None:
            expected = f"{layer.expected_norm:.1f}"
        table.add_row(
            str(layer.layer), str(overall.n_tokens), *_figures(overall), f"{layer.dead_share:.1%}",
            f"{overall.mean_norm:.1f}", expected,
        )  # fmt: skip
    return table


def classes_table(check: "SubjectCheck") -> Table:
    """The same by position class; the sink is in no other figure."""
    table = Table(title="by position class")
    for heading in ("layer", "position class", "tokens", "FVU", "L0", "mean norm"):
        table.add_column(heading, justify="left" if heading == "position class" else "right")
    for layer in check.layers:
        for name, quality in layer.by_class.items():
            figures = _figures(quality)
            table.add_row(str(layer.layer), name, str(quality.n_tokens), *figures, f"{quality.mean_norm:.1f}")
        table.add_section()
    return table


def _figures(quality: "Quality") -> tuple[str, str]:
    return ("-" if quality.fvu is None else f"{quality.fvu:.3f}", f"{quality.l0:.1f}")
