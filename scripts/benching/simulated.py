"""The cases that run in virtual time, by a program of their own."""

import json
import pathlib
import subprocess
import tempfile


def run(case, results, options):
    """Calls `muster-bench CASE --json FILE` beside the agent's program, if it was built."""
    program = options.program.parent / "muster-bench"
    results.begin(f"case {case}, simulated")
    if not program.exists():
        raise RuntimeError(f"case {case} is simulated, and {program} was not built")
    with tempfile.TemporaryDirectory(prefix="muster-bench.") as folder:
        found = pathlib.Path(folder) / "figures.json"
        subprocess.run([program, case, "--json", found], check=True, timeout=3600)
        results.about.setdefault("simulated", {})[case] = json.loads(found.read_text())
