"""One audit from its parts to its result: the command and the worker both run it so. Knows no folder, no database."""

import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from backend.audit.audit import Audited, run_audit
from backend.audit.progress import Checkpoint, Progress
from backend.audit.refusal.judges.judge import Judge, Rater
from backend.audit.results import Manifest
from backend.audit.spec import AuditedPrompt, AuditSettings
from backend.engine.engine import ResidualEngine
from backend.engine.pauses import BetweenBatches, go_on
from backend.errors import PromptFileError
from backend.judges.allowed import DEFAULT_JUDGE
from backend.judges.named import judges_named, rater_beside
from backend.prompts.prompt import PromptSet
from backend.reports.manifest import build_manifest
from backend.subjects.language_model import LanguageModel
from backend.subjects.subject import Subject


@dataclass(frozen=True, eq=False)
class AuditRun:
    """Everything an audit needs, checked."""

    subject: Subject
    judges: tuple[Judge, ...]  # the first one's verdicts count
    rater: Rater
    prompts: tuple[AuditedPrompt, ...]
    settings: AuditSettings
    manifest: Manifest

    @classmethod
    def prepare(
        cls,
        subject: Subject,
        prompts: PromptSet,
        settings: AuditSettings,
        started: str,
        command: str,
        judges: Sequence[str] = (DEFAULT_JUDGE,),
    ) -> "AuditRun":
        """started: ISO time. command: what to type to run it again. judges: as `--judge` names them. Raises
        PromptFileError for a prompt too long, and BadInput for a judge that cannot be had."""
        judge, *others = made = judges_named(judges, str(subject.model.device))
        rater = rater_beside(judge)
        manifest = build_manifest(subject, prompts, judge, settings, started, command, others, rater)
        tokens = tokenise(subject.model, prompts, settings.amounts.max_new_tokens)
        return cls(subject, made, rater, tuple(tokens), settings, manifest)

    def go(self, checkpoint: Checkpoint, progress: Progress, between_batches: BetweenBatches = go_on) -> Audited:
        """Run it, on an engine of its own; raises what `run_audit` and the two callbacks raise."""
        engine = ResidualEngine(self.subject.model, dict(self.subject.saes), between_batches=between_batches)
        judge, *others = self.judges
        return run_audit(
            engine, self.subject.model, judge, self.prompts, self.settings, self.manifest, checkpoint, progress,
            others, self.rater,
        )  # fmt: skip


def tokenise(model: LanguageModel, prompts: PromptSet, response_tokens: int) -> list[AuditedPrompt]:
    """Prompts as the subject sees them; raises PromptFileError for one that leaves no room for the response."""
    audited = []
    for prompt in prompts.prompts:
        tokens = model.encode_chat(prompt.text)
        if len(tokens.ids) + response_tokens > model.max_tokens:
            raise PromptFileError(
                prompts.name,
                f"prompt {prompt.id} has {len(tokens.ids)} tokens, and {response_tokens} of response follow; "
                f"the subject takes {model.max_tokens} in all: shorten it",
            )
        audited.append(AuditedPrompt(prompt, tokens))
    return audited


def rerun_command(
    *, subject: str, prompts: str, settings: AuditSettings, layers: Sequence[int] | None, saes: str | None,
    device: str, dtype: str, judges: Sequence[str] = (DEFAULT_JUDGE,),
) -> str:  # fmt: skip
    """The command that runs this audit again, into a folder of the reader's choice."""
    options: dict[str, Any] = {
        "subject": subject,
        "prompts": prompts,
        "effort": settings.effort,
        "layers": None if layers is None else ",".join(map(str, layers)),
        "saes": saes,
        "seed": settings.seed,
        "device": device,
        "dtype": dtype,
        "onset": settings.onset,
        "include-sink": settings.include_sink,
    }
    words = ["refusalscope", "audit"]
    for name, value in options.items():
        if isinstance(value, bool):
            words += [f"--{name}"] if value else []
        elif value is not None:
            words += [f"--{name}", str(value)]
    if tuple(judges) != (DEFAULT_JUDGE,):
        words += [word for judge in judges for word in ("--judge", judge)]
    return f"{shlex.join(words)} --out DIR"
