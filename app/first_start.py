"""What a database is given when a server starts on it: subjects, bundled prompts and, the first time, the example."""

from importlib.resources import files

from backend.api.imports import add_report
from backend.api.problem import ApiError
from backend.api.schemas import AuditRequest, AuditSpec
from backend.api.submitting import submit
from backend.errors import BadInput
from backend.prompts.bundled.subsets import SUBSETS
from backend.prompts.load import load_prompts
from backend.store import audits, prompt_sets, subjects
from backend.store.database import Database
from backend.subjects.catalogue import BUNDLED_SUBJECTS, PLANTED_LAYERS, PLANTED_SUBJECTS, bundled_layers
from backend.subjects.planted.prompts import PLANTED_PROMPTS, planted_prompts

DEMO = AuditSpec(subject="smollm2-135m-sft", prompt_set="bundled:demo", effort="quick")
EXAMPLES = "examples"  # folder of the backend: NAME/report.json of audits that really ran


def first_start(database: Database) -> None:
    """Idempotent. An example that was deleted does not come back."""
    with database.transaction() as session:
        empty = not subjects.list_subjects(session, kind="bundled", limit=1).items  # others may have been added before
        for subject in BUNDLED_SUBJECTS.values():
            subjects.add(session, subject.id, kind="bundled", description=subject.description, layers=bundled_layers())
        for name, description in PLANTED_SUBJECTS.items():
            subjects.add(session, name, kind="planted", description=description, layers=PLANTED_LAYERS)
        for subset in SUBSETS:
            prompts = load_prompts(f"bundled:{subset}")
            prompt_sets.add(session, prompts, kind="bundled", set_id=prompts.name)
        prompt_sets.add(session, planted_prompts(), kind="planted", set_id=PLANTED_PROMPTS)
    if empty:
        _add_examples(database)


def submit_demo(database: Database) -> None:
    """Queue a first live audit, unless one is under way or its answer is known. Raises BadInput when it cannot run."""
    with database.transaction() as session:
        waiting = audits.list_audits(session, subject=DEMO.subject, prompt_set=DEMO.prompt_set, limit=100).items
        if not any(audit.state in ("queued", "running") for audit in waiting):
            try:
                submit(session, AuditRequest(spec=DEMO))
            except ApiError as error:
                raise BadInput(f"--audit-demo: {error.detail}") from error


def _add_examples(database: Database) -> None:
    folder = files("backend").joinpath(EXAMPLES)
    if not folder.is_dir():
        return
    for example in sorted(folder.iterdir(), key=lambda entry: entry.name):
        report = example.joinpath("report.json")
        if report.is_file():
            with database.transaction() as session:
                add_report(session, database.artifacts, report.read_bytes(), origin="example")
