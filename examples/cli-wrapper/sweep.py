"""flops-fit from a script: run a sweep, read its JSON, go on with the numbers.

    python3 examples/cli-wrapper/sweep.py examples/simulated/manifest.toml --budget 1e24

Progress goes to standard error as ever; standard output of flops-fit is one JSON document.
Exit codes are those of docs/exit-codes.md.
"""
import argparse
import json
import os
import subprocess
import sys

FLOPS_FIT = os.environ.get("FLOPS_FIT", "flops-fit")
SOME_TRIALS_FAILED = 5


def flops_fit(*arguments):
    """Runs a command; its JSON, and whether every trial has a result."""
    done = subprocess.run([FLOPS_FIT, *arguments, "--format", "json"], stdout=subprocess.PIPE, text=True)
    if done.returncode not in (0, SOME_TRIALS_FAILED):
        sys.exit(done.returncode)  # flops-fit has said why
    return json.loads(done.stdout), done.returncode == 0


def main():
    arguments = argparse.ArgumentParser(description="Run a sweep and predict a budget.")
    arguments.add_argument("manifest")
    arguments.add_argument("--budget", default="1e15", help="FLOPs, such as 1e15 or '10 PFLOP-days'")
    arguments = arguments.parse_args()

    ran, whole = flops_fit("run", arguments.manifest)
    if not whole:
        print("some trials failed; run again to try them once more", file=sys.stderr)
    forecast, _ = flops_fit("predict", arguments.manifest, "--budget", arguments.budget)
    optimum = forecast["predictions"][0]
    low, high = (optimum["ci95"] or {"n": [float("nan")] * 2})["n"]  # null where there is no interval
    print(f"{len(ran['analysis']['points'])} runs in {ran['output']}")
    print(f"at {optimum['c']:.2e} FLOPs: N* = {optimum['n']:.3g} ({low:.3g} to {high:.3g})")
    print(f"  tokens {optimum['d']:.3g}, expected loss {optimum['loss']:.3f}")


if __name__ == "__main__":
    main()
