"""Keys that name a piece of audit work by everything it depends on. Knows values and tensors; knows no file.

Two audits that share a piece (the same subject answering the same prompts, say) then share its key, and a changed
setting changes the keys of the pieces that depend on it and of no other.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, is_dataclass
from hashlib import sha256
from typing import Any

import torch
from torch import Tensor

from backend.audit.refusal.judges.judge import Question
from backend.audit.refusal.respond import Request
from backend.audit.results import Manifest
from backend.audit.spec import AuditedPrompt

DECIMALS = 4  # of tensors: a resumed audit works them out anew, perhaps with other last bits


def fingerprint(value: Any) -> str:
    """SHA-256, in hex, of values, containers, dataclasses and tensors by their content."""
    return sha256(json.dumps(_plain(value), sort_keys=True, separators=(",", ":")).encode()).hexdigest()


@dataclass(frozen=True)
class Keys:
    """Names the pieces of one audit. `run`: what every piece depends on, as a fingerprint."""

    run: str
    saes: str
    judge: str

    @classmethod
    def of(cls, manifest: Manifest) -> "Keys":
        """What the manifest says of subject, code and device goes into every key."""
        run = fingerprint([manifest.subject, manifest.code, manifest.device])
        judge = {name: value for name, value in manifest.judge.items() if name != "others"}  # they judge afterwards
        return cls(run, fingerprint(manifest.saes), fingerprint(judge))

    def answers(self, requests: Sequence[Request], max_new_tokens: int) -> str:
        """Completions generated together and judged. Those with no feature edited depend on no SAE."""
        edits = any(r.intervention.features or r.intervention.reconstructed for r in requests)
        asked_for = [[r.name, asked([r.prompt]), r.intervention, r.under] for r in requests]
        return self._key("answers", self.judge, self.saes if edits else None, asked_for, max_new_tokens)

    def stage(self, name: str, *parts: Any) -> str:
        """Work on features, without completions."""
        return self._key(name, self.saes, *parts)

    def judged_stage(self, name: str, *parts: Any) -> str:
        """Work on features whose completions are judged."""
        return self._key(name, self.saes, self.judge, *parts)

    def verdicts(self, judge: str, sha256: str, questions: Sequence[Question]) -> str:
        """One judge's verdicts on some completions, wherever they come from."""
        return f"verdicts-{fingerprint([judge, sha256, questions])}"

    def _key(self, name: str, *parts: Any) -> str:
        return f"{name}-{fingerprint([self.run, *parts])}"


def asked(prompts: Sequence[AuditedPrompt]) -> list[Any]:
    """What of some prompts their results depend on."""
    return [[p.prompt.id, p.prompt.text, p.prompt.label, p.prompt.category, p.prompt.family] for p in prompts]


def _plain(value: Any) -> Any:
    if isinstance(value, Tensor):
        rounded = torch.round(value.detach().float().cpu(), decimals=DECIMALS) + 0.0  # no minus zero
        return [list(value.shape), sha256(rounded.contiguous().numpy().tobytes()).hexdigest()]
    if is_dataclass(value) and not isinstance(value, type):
        return {name: _plain(getattr(value, name)) for name in value.__dataclass_fields__}
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, frozenset | set):
        return sorted(map(str, value))
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value
