"""A GPT in PyTorch for flops-fit to sweep. docs/trainers.md says what it follows.

    flops-fit run examples/pytorch/manifest.toml --set dataset.config.path=/path/to/any.txt
"""
import hashlib, json, math, os, stat, sys, threading, time
from pathlib import Path

import torch
import torch.nn.functional as F

VERSION = "1"  # part of every trial's identity: raise it when results should change
GPUS = torch.cuda.device_count()
DEVICE = f"cuda:{int(os.environ.get('FLOPS_FIT_SLOT', 0)) % GPUS}" if GPUS else "cpu"


class GPT(torch.nn.Module):
    """The u-muP transformer of plugins/gpt (Blake et al. 2024, arXiv 2407.17465)."""

    def __init__(self, config, vocabulary, length):
        super().__init__()
        d, depth, head = config["d_model"], config["n_layers"], config["head_size"]
        self.d, self.depth, self.heads, self.head = d, depth, d // head, head
        shapes = {"embedding": (vocabulary, d), "readout": (vocabulary, d)}
        for i in range(depth):
            shapes |= {f"qkv{i}": (3 * d, d), f"out{i}": (d, d), f"up{i}": (4 * d, d), f"down{i}": (d, 4 * d)}
        self.w = torch.nn.ParameterDict({name: torch.randn(shape) for name, shape in shapes.items()})
        tau = [1 / math.sqrt(depth + (i + 1) // 2 + i // 2) for i in range(2 * depth)]
        self.branch = [(t / math.hypot(1, t), 1 / math.hypot(1, t)) for t in tau]
        self.attention_gain = (math.log(length) / length) ** (0.5 / (1 + 4 * head) - 0.5)
        angle = torch.outer(torch.arange(length), 1e4 ** (-torch.arange(0, head, 2) / head)).repeat(1, 2)
        self.register_buffer("cos", angle.cos())
        self.register_buffer("sin", angle.sin())

    def groups(self, lr, decay):
        """A learning rate for each matrix; decay that does not go through it."""
        for name, w in self.w.items():
            hidden = (w.shape[1] * self.depth) ** -0.5
            base = lr * {"embedding": self.d**-0.5, "readout": 1.0}.get(name, hidden)
            yield {"params": [w], "base": base, "weight_decay": decay / base}

    def attend(self, x, i):
        rope = lambda t: t * self.cos + torch.cat([-t[..., self.head // 2 :], t[..., : self.head // 2]], -1) * self.sin
        qkv = F.linear(x, self.w[f"qkv{i}"] * self.d**-0.5).unflatten(-1, (3, self.heads, self.head))
        q, k, v = qkv.permute(2, 0, 3, 1, 4)
        mixed = F.scaled_dot_product_attention(rope(q), rope(k), v, is_causal=True, scale=1 / self.head)
        return F.linear(mixed.transpose(1, 2).flatten(2), self.w[f"out{i}"] * (self.attention_gain * self.d**-0.5))

    def forward(self, x, y):
        """The loss of each window, in nats a token."""
        norm = lambda t: F.rms_norm(t, (self.d,))
        h = F.embedding(x, self.w["embedding"])
        for i in range(self.depth):
            (a, b), (c, e) = self.branch[2 * i : 2 * i + 2]
            h = a * self.attend(norm(h), i) + b * h
            up = F.gelu(F.linear(norm(h), self.w[f"up{i}"] * self.d**-0.5))
            h = c * F.linear(up, self.w[f"down{i}"] * (1.7667 * (4 * self.d) ** -0.5)) + e * h
        logits = F.linear(norm(h), self.w["readout"] / self.d)
        return F.cross_entropy(logits.transpose(1, 2), y, reduction="none").mean(1)


def read(config):
    """Characters as numbers, those that train and those that are held out; vocabulary; hash."""
    text = Path(config["path"]).read_text(encoding="utf-8")
    points = torch.frombuffer(bytearray(text.encode("utf-32-le")), dtype=torch.int32)
    alphabet, ids = torch.unique(points, return_inverse=True)
    cut = int(len(ids) * 0.95)
    return ids[:cut], ids[cut:], len(alphabet), hashlib.sha256(text.encode()).hexdigest()


def describe(question):
    train, _, vocabulary, digest = read(question["dataset"]["config"])
    config, length = question["model"]["config"], question["dataset"]["config"]["seq_len"]
    sizes = []
    for d in question["sizes"]:
        if d % config["head_size"]:
            sizes.append({"size": d, "refused": f"no multiple of head_size = {config['head_size']}"})
            continue
        n = 12 * config["n_layers"] * d * d + vocabulary * d  # blocks and readout
        attention = 12 * config["n_layers"] * length * d
        sizes.append({"size": d, "n": n, "flops_per_unit": 6 * n + attention, "counts": {"total": n + vocabulary * d}})
    data = {"fingerprint": digest, "unit": "tokens", "units_per_example": length, "unique_units": len(train)}
    return {"name": "pytorch-gpt", "version": VERSION, "dataset": data, "sizes": sizes}


def share(settings, step, steps):
    """Share of the peak learning rate at `step`, from 0."""
    schedule, warmup = settings["schedule"], settings["warmup_steps"]
    after = 1.0
    if schedule["kind"] == "wsd":
        cool = min(max(round(schedule["decay"] * steps), 1), steps)
        t = max(0, step - (steps - cool) + 1) / (cool + 1)
        after = 1 - (t if schedule["shape"] == "linear" else math.sqrt(t))
    elif schedule["kind"] == "cosine":
        t = min(max(0, step - warmup) / max(steps - warmup, 1), 1.0)
        after = schedule["floor"] + (1 - schedule["floor"]) * 0.5 * (1 + math.cos(math.pi * t))
    return min((step + 1) / warmup if step < warmup else 1.0, after)


def train(trial, progress):
    began = time.time()
    recipe, run = trial["recipe"], trial["run"]
    settings, steps, length = recipe["train"], recipe["steps"], run["units_per_example"]
    torch.set_num_threads(run["threads"])
    torch.manual_seed(recipe["seed"])
    data, held_out, vocabulary, _ = read(run["dataset"]["config"])
    model = GPT(run["model"]["config"], vocabulary, length).to(DEVICE)
    optimizer = torch.optim.AdamW(
        model.groups(settings["lr"], settings["optimizer"]["weight_decay"]),
        betas=(settings["optimizer"]["beta1"], settings["optimizer"]["beta2"]), eps=settings["optimizer"]["eps"], fused=True,
    )
    batch, span = settings["batch_examples"], torch.arange(length + 1)
    micro, order = run["micro_batch"] or batch, torch.Generator().manual_seed(recipe["seed"])
    timing, losses, said = {"startup": time.time() - began}, [], 0.0
    for step in range(steps):
        for group in optimizer.param_groups:
            group["lr"] = group["base"] * share(settings, step, steps)
        windows = data[torch.randint(len(data) - length, (batch, 1), generator=order) + span].to(DEVICE)
        total = 0.0
        for part in windows.split(micro):
            loss = model(part[:, :-1], part[:, 1:]).sum() / batch
            loss.backward()
            total += loss.item()
        losses.append(total)
        if not math.isfinite(total):
            return {"status": "diverged", "step": step + 1, "reason": f"the training loss is {total}"}
        if settings["grad_clip"]:
            torch.nn.utils.clip_grad_norm_(model.parameters(), settings["grad_clip"])
        optimizer.step()
        optimizer.zero_grad()
        if time.time() - said > 0.5:  # each line is a sign of life
            said = time.time()
            line = {"stage": "train", "step": step + 1, "units": (step + 1) * batch * length, "loss": total}
            print(json.dumps(line), file=progress, flush=True)
    timing["train"] = time.time() - began - timing["startup"]
    print(json.dumps({"stage": "evaluate", "step": steps}), file=progress, flush=True)
    count = min(settings["eval_units"] // length, len(held_out) // length)
    starts = torch.arange(count) * (len(held_out) - length) // count
    with torch.inference_mode():
        each = torch.cat([model(w[:, :-1], w[:, 1:]) for w in held_out[starts[:, None] + span].to(DEVICE).split(64)])
    timing["evaluate"] = time.time() - began - timing["startup"] - timing["train"]
    tail = losses[-max(steps // 10, 1) :]
    return {
        "status": "completed", "loss": each.mean().item(), "loss_se": (each.std() / count**0.5).item(),
        "train_loss": sum(tail) / len(tail), "steps": steps, "units": steps * batch * length, "eval_units": count * length,
        "n": sum(w.numel() for name, w in model.w.items() if name != "embedding"), "timing": timing,
    }


def follow_parent():
    """flops-fit holds the other end of standard input, a socket: it ends when flops-fit does."""
    def wait():
        while os.read(0, 64):
            pass
        os._exit(1)
    if stat.S_ISSOCK(os.fstat(0).st_mode):
        threading.Thread(target=wait, daemon=True).start()


def write(path, document):
    part = Path(f"{path}.part")
    part.write_text(json.dumps(document))
    part.rename(path)  # whole or not at all


if __name__ == "__main__":
    follow_parent()
    match sys.argv[1:]:
        case ["describe", question, answer]:
            write(answer, describe(json.loads(Path(question).read_text())))
        case ["train", folder]:
            trial = json.loads(Path(folder, "trial.json").read_text())
            try:
                result = train(trial, Path(folder, "progress.jsonl").open("w"))
            except torch.OutOfMemoryError as error:
                result = {"status": "failed", "message": str(error), "out_of_memory": True}
            write(Path(folder, "result.json"), {"id": trial["id"], **result})
        case other:
            sys.exit(f"expected describe QUESTION ANSWER or train FOLDER, got {other}")
