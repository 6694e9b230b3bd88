#!/usr/bin/env python3
"""A training loop that goes easy on hot GPUs: it logs them, says when one is too hot, trains on smaller batches while
they are throttled, and waits while they are critical.  training_callback.py [STEPS]

Trains a line through points, with PyTorch where that is installed and in plain Python where it is not.
"""
import logging
import random
import sys

from gpukeeper import GpuMonitorCallback

STEPS = int(sys.argv[1]) if len(sys.argv) > 1 else 200
BATCH = 64
SLOPE, OFFSET = 3.0, -1.0  # what is to be found


def points(count):
    xs = [random.uniform(-1, 1) for _ in range(count)]
    return xs, [SLOPE * x + OFFSET + random.gauss(0, 0.01) for x in xs]


def torch_step(torch):
    """A function that trains on a batch and returns the loss, and one that says what was found."""
    device = "cuda" if torch.cuda.is_available() else "cpu"
    model = torch.nn.Linear(1, 1).to(device)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.3)

    def step(xs, ys):
        x, y = (torch.tensor(values, device=device).unsqueeze(1) for values in (xs, ys))
        optimizer.zero_grad()
        loss = torch.nn.functional.mse_loss(model(x), y)
        loss.backward()
        optimizer.step()
        return loss.item()

    return step, lambda: (model.weight.item(), model.bias.item())


def plain_step():
    found = [0.0, 0.0]

    def step(xs, ys):
        errors = [found[0] * x + found[1] - y for x, y in zip(xs, ys)]
        found[0] -= 0.6 * sum(error * x for error, x in zip(errors, xs)) / len(xs)
        found[1] -= 0.6 * sum(errors) / len(xs)
        return sum(error * error for error in errors) / len(errors)

    return step, lambda: tuple(found)


def main():
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    try:
        import torch

        step, found = torch_step(torch)
    except ImportError:
        step, found = plain_step()
    watch = GpuMonitorCallback(interval=0.5, thermal_threshold=83, on_alert=lambda alert: print(f"alert: {alert}"))
    sizes, loss = set(), 0.0
    for _ in range(STEPS):
        watch.step()  # waits here while a GPU is critical
        size = watch.batch_size(BATCH)
        sizes.add(size)
        loss = step(*points(size))
    slope, offset = found()
    print(f"y = {slope:.2f} x {offset:+.2f} after {watch.steps} steps, loss {loss:.5f}")
    print(f"batches of {', '.join(map(str, sorted(sizes)))}; paused for {watch.paused_seconds:.1f} s")


if __name__ == "__main__":
    main()
