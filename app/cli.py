"""The command `refusalscope`. Wiring only: each command imports what it needs when it is run, so that help is quick."""

import gc
import os
import sys
from pathlib import Path
from typing import Annotated, Literal

import typer

from app.judges import judges
from app.models import models
from app.store_options import Data, Url
from backend.errors import RefusalscopeError

cli = typer.Typer(
    name="refusalscope",
    help="Audit what makes a language model refuse: the features that drive it, their order, their backups.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
cli.add_typer(models, name="models")
cli.add_typer(judges, name="judges")


@cli.callback()
def top() -> None:
    """Keeps `audit` a sub-command."""


@cli.command()
def audit(
    subject: Annotated[
        str, typer.Option(help="Bundled id (see `models list`), planted, planted-null, a model folder or a hub id.")
    ],
    out: Annotated[Path, typer.Option(help="Folder for report.json, its tensors and checkpoints.")],
    prompts: Annotated[
        str,
        typer.Option(help="A .jsonl or .csv file, bundled[:demo|standard|test|all], or planted."),
    ] = "bundled:demo",
    effort: Annotated[
        Literal["quick", "standard", "thorough"], typer.Option(help="How much is measured; definitions stay.")
    ] = "standard",
    layers: Annotated[str | None, typer.Option(help="Audit these layers only, e.g. 9,12,15.")] = None,
    saes: Annotated[
        str | None,
        typer.Option(help="sae-lens folder, or RELEASE:PATTERN, * for the layer; bundled ids need none."),
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Same seed, same machine: same report.")] = 0,
    device: Annotated[Literal["auto", "cpu", "cuda"], typer.Option(help="Where the model runs.")] = "auto",
    dtype: Annotated[
        Literal["auto", "float32", "bfloat16"], typer.Option(help="auto: float32 on cpu, bfloat16 on cuda.")
    ] = "auto",
    onset: Annotated[
        Literal["calibrated", "surrogate"],
        typer.Option(help="Refusal-onset tokens: from the subject's own answers, or the paper's single \"I\"."),
    ] = "calibrated",
    include_sink: Annotated[
        bool, typer.Option(help="Also try minimal sets with the attention sink in scope, beside their own control.")
    ] = False,
    judge: Annotated[
        list[str],
        typer.Option(
            help="phrases, classifier:ID[#LABEL=refused,...] or llm:https://HOST/v1#MODEL (key: "
            "REFUSALSCOPE_JUDGE_KEY). Repeatable: the first one's verdicts count, the others are compared."
        ),
    ] = ["phrases"],  # noqa: B006 (typer copies it)
    resume: Annotated[bool, typer.Option(help="Go on with a stopped audit; finished prompts are kept.")] = False,
    gate: Annotated[
        Path | None, typer.Option(help="A TOML file of what the report must show; if it does not, exit code 4.")
    ] = None,
    server: Annotated[
        str | None,
        typer.Option(
            help="Let the server at this URL do it; REFUSALSCOPE_TOKEN is its access token, if it asks for one."
        ),
    ] = None,
) -> None:
    """Audit one subject on a set of prompts and write DIR/report.json."""
    from app.audit_options import AuditOptions

    options = AuditOptions(
        subject=subject,
        prompts=prompts,
        out=out,
        effort=effort,
        layers=layers,
        saes=saes,
        seed=seed,
        device=device,
        dtype=dtype,
        onset=onset,
        include_sink=include_sink,
        judge=tuple(judge),
        resume=resume,
        gate=gate,
    )
    if server is None:
        from app.audit import run

        run(options)
    else:
        from app.remote_audit import run_remote

        run_remote(server, options)


@cli.command()
def serve(
    host: Annotated[
        str | None, typer.Option(help="Address to bind (REFUSALSCOPE_HOST; 127.0.0.1). Others need REFUSALSCOPE_TOKEN.")
    ] = None,
    port: Annotated[int | None, typer.Option(help="REFUSALSCOPE_PORT; 8050. 0 takes a free one.")] = None,
    data: Annotated[Path | None, typer.Option(help="REFUSALSCOPE_DATA, or the platform's place.")] = None,
    database: Annotated[
        str | None,
        typer.Option(help="REFUSALSCOPE_DATABASE, a postgresql:// URL; or a file in the data folder."),
    ] = None,
    hosts: Annotated[
        str | None, typer.Option(help="More names that browsers may call the server by (REFUSALSCOPE_HOSTS), e.g. a,b.")
    ] = None,
    device: Annotated[str | None, typer.Option(help="Of its workers: auto, cpu or cuda (REFUSALSCOPE_DEVICE).")] = None,
    worker: Annotated[bool, typer.Option(help="Also run workers.")] = True,
    audit_demo: Annotated[
        bool, typer.Option("--audit-demo", help="Also queue a quick audit of smollm2-135m-sft on bundled:demo.")
    ] = False,
) -> None:
    """Serve the dashboard and the API, with a worker beside them."""
    gc.disable()  # a start makes much and lets go of little; `run` turns it on again
    from app.serve import run
    from app.settings import read_settings

    settings = read_settings(
        host=host, port=port, data=data, database=database, hosts=hosts, device=device, worker=worker
    )
    run(settings, audit_demo=audit_demo)


@cli.command()
def worker(
    data: Data = None,
    database: Url = None,
    device: Annotated[Literal["auto", "cpu", "cuda"], typer.Option(help="Where models run.")] = "auto",
    with_parent: Annotated[bool, typer.Option(help="End when the process that started this one ends.")] = False,
) -> None:
    """Work on the jobs of a server, on this device. `serve` starts its own; more may be added."""
    from app.worker import run

    run(data=data, database=database, device=device, with_parent=with_parent)


@cli.command()
def report(
    audit: Annotated[str, typer.Argument(help="An audit's folder or report.json, or its id in the database.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="The file to write.")],
    format: Annotated[
        Literal["html", "json", "prompts.csv", "features.csv"],
        typer.Option(help="html: one file that opens from disk, figures inside."),
    ] = "html",
    data: Data = None,
    database: Url = None,
) -> None:
    """Write a finished audit as a file to share; completions under intervention stay masked."""
    from app.report import run

    run(audit=audit, output=output, format=format, data=data, database=database)


@cli.command()
def compare(
    audits: Annotated[
        list[str], typer.Argument(metavar="AUDIT...", help="Folders, report.json files or ids; the reference first.")
    ],
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Also write it: a .json file, or a .md one of tables.")
    ] = None,
    match_features: Annotated[
        bool,
        typer.Option(
            "--match-features", help="Where SAEs differ, load them and match features by decoder direction (cosine)."
        ),
    ] = False,
    data: Data = None,
    database: Url = None,
) -> None:
    """Compare audits of the same prompts: paired tests, differences with intervals, features in common."""
    from app.compare import run

    run(audits=audits, output=output, match_features=match_features, data=data, database=database)


@cli.command()
def gate(
    audit: Annotated[str, typer.Argument(help="An audit's folder or report.json, or its id in the database.")],
    file: Annotated[Path, typer.Argument(help="A TOML file of what the report must show.")],
    data: Data = None,
    database: Url = None,
) -> None:
    """Hold a finished audit against a gate: exit code 0 when it shows what is asked, 4 when not."""
    from app.gate import run

    run(audit=audit, file=file, data=data, database=database)


def main() -> None:
    """Run the command line; deliberate errors end as one line and their exit code."""
    # Threads that wait for one another soon give their core up: spinning on, where something else runs as well, makes
    # the model several times slower; not spinning at all costs a tenth where nothing does. Read when torch is loaded.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    os.environ.setdefault("GOMP_SPINCOUNT", "20000")
    try:
        cli()
    except RefusalscopeError as error:
        sys.stderr.write(f"refusalscope: {error}\n")
        sys.exit(error.exit_code)
