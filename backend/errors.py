"""Every error Refusalscope raises on purpose.

RefusalscopeError
├── BadInput            something the user gave is wrong: one line naming the field and the fix (exit 2)
│   ├── PromptFileError   a prompt file: file, line and column
│   ├── SubjectError      a model, adapter, tokenizer or SAE that cannot be used
│   ├── OutputError       a place to write that cannot be written
│   ├── InUse             what was to be deleted, and is still needed
│   └── DifferentPrompts  audits to compare that have no prompt in common
├── Interrupted         the user stopped the work; what is finished is kept (exit 3)
├── GateFailed          the report does not show what the gate asks for (exit 4)
└── AuditFailed         a stage could not produce a sound result (exit 1)
"""

from collections.abc import Sequence
from pathlib import Path


class RefusalscopeError(Exception):
    """Base of all deliberate errors; its text is one line fit for a user."""

    exit_code = 1


class BadInput(RefusalscopeError):
    """Something the user gave is wrong. The message names the field and the fix."""

    exit_code = 2


class PromptFileError(BadInput):
    """A prompt file that cannot be read as prompts: names file, line (1-based) and column.

    others: of the same file; the message counts them.
    """

    def __init__(
        self,
        file: Path | str,
        problem: str,
        *,
        line: int | None = None,
        column: str | None = None,
        others: Sequence["PromptFileError"] = (),
    ) -> None:
        self.file, self.line, self.column, self.problem, self.others = file, line, column, problem, tuple(others)
        where = str(file)
        if line is not None:
            where += f", line {line}"
        if column is not None:
            where += f", column '{column}'"
        more = f" (and {len(self.others)} more)" if self.others else ""
        super().__init__(f"{where}: {problem}{more}")

    def renamed(self, file: str) -> "PromptFileError":
        """The same of a file by another name."""
        others = [other.renamed(file) for other in self.others]
        return PromptFileError(file, self.problem, line=self.line, column=self.column, others=others)


class SubjectError(BadInput):
    """A model, adapter, tokenizer or SAE that is missing, corrupt or does not fit."""


class OutputError(BadInput):
    """A directory or file that cannot be written."""


class InUse(BadInput):
    """What was to be deleted is still needed. The message names by what."""


class DifferentPrompts(BadInput):
    """Audits that cannot be compared: they have no prompt in common."""


class Interrupted(RefusalscopeError):
    """The user stopped the work. Finished prompts are kept; the message says how to resume."""

    exit_code = 3


class GateFailed(RefusalscopeError):
    """The report was written and does not show what the gate asks for. The message names the conditions."""

    exit_code = 4


class AuditFailed(RefusalscopeError):
    """A stage could not produce a sound result on input that looked fine."""
