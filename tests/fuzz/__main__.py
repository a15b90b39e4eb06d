"""`python -m tests.fuzz renderer|frames --minutes 10`: mutate until the time is over or a promise breaks."""

import argparse
import logging
import sys
import tempfile
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["chatroom", "markdown_it", "linkify_it", "mdurl", "pygments"]):
    from tests.fuzz import frames, renderer


def main() -> None:
    """Run one fuzzer; libFuzzer ends the process."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("target", choices=["renderer", "frames"])
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    logging.disable(logging.CRITICAL)
    seeds, fuzz = (
        (renderer.SEEDS, renderer.fuzz) if options.target == "renderer" else (frames.SEEDS, frames.Target().fuzz)
    )
    corpus = Path(tempfile.mkdtemp(prefix=f"fuzz-{options.target}-"))
    for number, text in enumerate(seeds):
        (corpus / f"seed-{number}").write_text(text, encoding="utf-8")
    libfuzzer = [
        f"-max_total_time={max(1, round(options.minutes * 60))}",
        f"-seed={options.seed}",
        f"-max_len={4000 if options.target == 'renderer' else 400}",
        "-len_control=0",
        "-timeout=60",
        "-rss_limit_mb=2048",
        "-print_final_stats=1",
        f"-artifact_prefix={corpus}/",
        str(corpus),
    ]
    atheris.Setup([sys.argv[0], *libfuzzer], fuzz)
    atheris.Fuzz()


main()
