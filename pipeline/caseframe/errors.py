"""Every error a user can meet, each with what to do about it.

    CaseFrameError
    ├── ConfigError             a config file has an unknown key or a wrong value
    ├── SourceError             input that cannot be read
    │   ├── NoArticles          nothing readable under the given paths
    │   ├── UnknownFormat       no reader knows this content
    │   ├── MissingColumn       a table lacks a mapped column
    │   ├── BrokenFile          a file ends early or is not what it says (truncated gzip)
    │   └── BrokenRecord        one record of a file cannot be read; the others can
    ├── LexiconError            a lexicon file has a bad row
    ├── ModelError              a pipeline cannot be loaded
    ├── OutputError             a run directory cannot be written
    │   ├── OutputExists        it holds a run already
    │   ├── ResumeRefused       config or input changed since the run that is to be continued
    │   └── RunBusy             another run is writing to it
    ├── WorkerError             worker processes or a cluster cannot be had
    ├── RunError                a run directory cannot be read
    ├── TrainingError           a model cannot be trained
    ├── EvaluationError         an evaluation that cannot be made, or read again
    │   ├── GoldError           gold that does not fit its texts or the schema
    │   ├── SystemFailed        a system under test cannot be run
    │   └── GateFailed          a metric is below what was asked for
    └── ReviewError             a review that cannot be opened, or a decision that cannot be kept
        ├── ReviewConflict      another window, or the other reviewer, was there before
        └── BadDecision         a decision that does not fit the schema or the text

Errors print as one line, `message. cure`; the command line shows tracebacks only with `--debug`.
"""

from __future__ import annotations

from caseframe.schema import Failure, Origin


class CaseFrameError(Exception):
    """Base of all errors a user can meet. `message` says what is wrong and where, `cure` what to do."""

    def __init__(self, message: str, cure: str = "") -> None:
        super().__init__(message, cure)
        self.message = message
        self.cure = cure

    def __str__(self) -> str:
        return f"{self.message.rstrip('.')}. {self.cure}".rstrip() if self.cure else self.message


class ConfigError(CaseFrameError):
    """A config file has an unknown key or a wrong value."""


class SourceError(CaseFrameError):
    """Input that cannot be read."""

    def failure(self, origin: Origin, article_id: str = "") -> Failure:
        """This error as a row of `failures.jsonl`."""
        return Failure(origin, "read", type(self).__name__, self.message, self.cure, article_id)


class NoArticles(SourceError):
    """Nothing readable under the given paths."""


class UnknownFormat(SourceError):
    """No reader knows this content."""


class MissingColumn(SourceError):
    """A table lacks a mapped column."""


class BrokenFile(SourceError):
    """A file ends early or is not what it says."""


class BrokenRecord(SourceError):
    """One record of a file cannot be read; the others can."""


class LexiconError(CaseFrameError):
    """A lexicon file has a bad row."""


class ModelError(CaseFrameError):
    """A pipeline cannot be loaded."""


class OutputError(CaseFrameError):
    """A run directory cannot be written."""


class OutputExists(OutputError):
    """The output directory holds a run already."""


class ResumeRefused(OutputError):
    """Config or input changed since the run that is to be continued."""


class RunBusy(OutputError):
    """Another run is writing to the run directory."""


class WorkerError(CaseFrameError):
    """Worker processes or a cluster cannot be had."""


class RunError(CaseFrameError):
    """A run directory cannot be read."""


class TrainingError(CaseFrameError):
    """A model cannot be trained."""


class EvaluationError(CaseFrameError):
    """An evaluation that cannot be made, or read again."""


class GoldError(EvaluationError):
    """Gold that does not fit its texts or the schema: article, words, field, label, duplicate, leak."""


class SystemFailed(EvaluationError):
    """A system under test cannot be run."""


class GateFailed(EvaluationError):
    """A metric is below what was asked for."""


class ReviewError(CaseFrameError):
    """A review that cannot be opened, or a decision that cannot be kept."""


class ReviewConflict(ReviewError):
    """Another window, or the other reviewer, was there before."""


class BadDecision(ReviewError):
    """A decision that does not fit the schema or the text."""
