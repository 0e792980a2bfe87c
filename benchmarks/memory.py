"""Peak memory of a process that loads a subject and filters greedily: `python -m benchmarks.memory ID PROMPTS`."""

import resource
import subprocess
import sys

KIBIBYTES_EACH = 1 / 1024 if sys.platform == "darwin" else 1  # ru_maxrss is in bytes on macOS, else in KiB


def peak_gib(subject_id: str, n_prompts: int) -> float:
    """Peak resident memory in GiB of a fresh process. Call it while this process is small: a child starts from the
    parent's peak."""
    command = [sys.executable, "-m", "benchmarks.memory", subject_id, str(n_prompts)]
    return float(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def main() -> None:
    from backend.engine.engine import ResidualEngine
    from backend.subjects.subject import load_subject
    from benchmarks.workload import greedy_workload

    subject = load_subject(sys.argv[1], device="cpu")
    workload = greedy_workload(subject, int(sys.argv[2]))
    engine = ResidualEngine(subject.model, dict(subject.saes))
    for pairs in workload.rounds:
        engine.score(pairs, workload.onset_ids)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * KIBIBYTES_EACH
    sys.stdout.write(f"{peak / 2**20}\n")


if __name__ == "__main__":
    main()
