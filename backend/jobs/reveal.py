"""The job `reveal`: the words of one masked completion, from its token ids. Knows store and tokenizer.

The words are in the job's result, for whoever asked to take, and nowhere else.
"""

from backend.errors import BadInput
from backend.jobs.audit_context import AuditContext, read_audit, read_prompt
from backend.jobs.desk import Conclusion, Desk
from backend.jobs.requests import RevealArgs, read_args
from backend.reports.tensor_files import completions_from_file
from backend.store import jobs
from backend.store.database import Database
from backend.store.tables import JobRow

WHAT_IF = "what_if:"


def reveal_job(desk: Desk, job: JobRow) -> Conclusion:
    """Decode with the subject's own tokenizer."""
    args = read_args(RevealArgs, job.args)
    context = read_audit(desk.database, args.audit_id, desk.device)
    read_prompt(desk.database, args.audit_id, args.prompt_id)
    if args.completion.startswith(WHAT_IF):
        ids = _of_what_if(desk.database, args)
    else:
        ids = _of_audit(desk.database, context, args)
    text = desk.residents.get(context.key).subject.model.decode(ids)
    return Conclusion({"completion": args.completion, "text": text})


def _of_audit(database: Database, context: AuditContext, args: RevealArgs) -> tuple[int, ...]:
    if context.completions_sha256 is None:
        raise BadInput("completion: this audit came without its completions; run it here to read them")
    if not args.completion.startswith(f"{args.prompt_id}/"):
        raise _unknown(args.completion)
    with database.artifacts.open(context.completions_sha256) as file:
        kept = completions_from_file(file.read())
    if args.completion not in kept:
        raise _unknown(args.completion)
    return kept[args.completion]


def _of_what_if(database: Database, args: RevealArgs) -> tuple[int, ...]:
    job_id, _, arm = args.completion.removeprefix(WHAT_IF).rpartition(":")
    with database.reading() as session:
        job = jobs.read(session, job_id)
    if job is None or job.kind != "what_if" or job.result is None:
        raise _unknown(args.completion)
    same = (job.args.get("audit_id"), job.args.get("prompt_id")) == (args.audit_id, args.prompt_id)
    ids = job.result["token_ids"].get(arm) if same else None
    if ids is None:
        raise _unknown(args.completion)
    return tuple(ids)


def _unknown(name: str) -> BadInput:
    return BadInput(f"completion: this prompt has none called {name[:80]}")
