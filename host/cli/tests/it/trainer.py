"""A trainer that follows docs/trainers.md with the standard library alone. Its
"training" is a formula; [model.config] says what goes wrong, and when."""
import json
import os
import signal
import sys
import time


def describe(question):
    config = question["model"]["config"]
    if config.get("describe") == "exit":
        sys.exit("no data here")
    if config.get("describe") == "hang":
        time.sleep(600)
    sizes = [
        {"size": size, "refused": "odd"} if size % 2 else {"size": size, "n": 24 * size * size + 64 * size}
        for size in question["sizes"]
    ]
    if config.get("describe") == "short":
        sizes.pop()
    return {
        "name": "formula",
        "version": config.get("version", "1"),
        "dataset": {"fingerprint": "none", "unit": "tokens", "units_per_example": 64},
        "sizes": sizes,
    }


def train(folder):
    with open(os.path.join(folder, "trial.json")) as file:
        trial = json.load(file)
    recipe, run = trial["recipe"], trial["run"]
    config = run["model"]["config"]
    with open("trained.log", "a") as log:
        log.write(f"{trial['id']} {os.environ['FLOPS_FIT_SLOT']} {run['attempt']} {run['micro_batch']}\n")
    fault = config.get("faults", {}).get(str(recipe["size"]), "none")
    with open(os.path.join(folder, "progress.jsonl"), "w") as progress:
        print(json.dumps({"stage": "train", "step": 1, "units": 512}), file=progress, flush=True)
    if fault == "raise" or (fault == "raise once" and run["attempt"] == 0):
        raise ValueError("an index out of range")
    if fault == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
    if fault == "hang":
        time.sleep(600)
    time.sleep(config.get("seconds", 0.0))
    n, d = run["declared_n"], recipe["units"]
    result = {
        "id": trial["id"],
        "status": "completed",
        "loss": 0.7 + 25.0 / n**0.45 + 68.0 / d**0.40,
        "train_loss": 2.0,
        "steps": recipe["steps"],
        "units": d,
        "n": n,
    }
    if fault == "diverge":
        result = {"id": trial["id"], "status": "diverged", "step": 7, "reason": "the loss is nan"}
    if fault == "hungry" and (run["micro_batch"] or recipe["train"]["batch_examples"]) > 2:
        result = {"id": trial["id"], "status": "failed", "message": "CUDA out of memory", "out_of_memory": True}
    if fault == "stranger":
        result["id"] = "0123456789abcdef"
    if fault == "nan":
        result["loss"] = float("nan")
    if fault == "lack":
        del result["units"]
    path = os.path.join(folder, "result.json")
    with open(path + ".part", "w") as file:
        json.dump(result, file)
    os.replace(path + ".part", path)
    if fault == "die later":
        sys.exit(3)
    if fault == "linger":
        time.sleep(600)


verb, *files = sys.argv[1:]
if verb == "describe":
    with open(files[0]) as question:
        answer = describe(json.load(question))
    with open(files[1], "w") as file:
        json.dump(answer, file)
else:
    train(files[0])
