"""
Rows that stay on the disk
==========================

A network can train on rows that are read from files in chunks, with as much memory as you state.
This example writes a million simulated sensor readings to a file of 56 MB, and shows the memory
that the process takes while a network trains on them.
"""

# %%
# ``make_gun_drilling`` simulates 14 channels of 20 drills, in the order of drills and times. With
# ``out`` it writes them to a folder.
import threading
import time
from pathlib import Path
from tempfile import TemporaryDirectory

import matplotlib.pyplot as plt
import numpy as np
import psutil

from skimbal import MLPClassifier, TunedCostClassifierCV
from skimbal.datasets import make_gun_drilling
from skimbal.preprocessing import ChunkedTable

folder = TemporaryDirectory()
y = np.array(make_gun_drilling(1_000_000, out=folder.name, random_state=0).target)
path = Path(folder.name) / "data.npy"
sources = {
    "chunks, buffer of 16 MB": lambda: ChunkedTable.from_npy(path, buffer_bytes=2**24),
    "memory map": lambda: np.load(path, mmap_mode="r"),
    "array in memory": lambda: np.load(path),
}
network = MLPClassifier(batch_size=4096, max_epochs=2, early_stopping=False, random_state=0)

# %%
# A thread looks at the memory of the process without the pages of files. The pages of a memory map
# belong to the system, which takes them back when it needs them. An array is freed after its
# training, and what a training frees stays with the process for the next one, so the smallest is
# first.


def own_bytes():
    """Memory of this process that is no page of a file (on Linux)."""
    memory = psutil.Process().memory_info()
    return memory.rss - memory.shared


def memory_in_fit(load):
    """Seconds and megabytes of a training."""
    ended, points = threading.Event(), []
    started, before = time.perf_counter(), own_bytes()

    def watch():
        while not ended.wait(0.01):
            points.append((time.perf_counter() - started, (own_bytes() - before) / 2**20))

    thread = threading.Thread(target=watch)
    thread.start()
    network.fit(load(), y)
    ended.set()
    thread.join()
    return np.array(points).T


network.fit(np.load(path, mmap_mode="r")[:20_000], np.arange(20_000) % 2)  # what is loaded once
curves = {name: memory_in_fit(load) for name, load in sources.items()}

fig, ax = plt.subplots(figsize=(7, 3.6), layout="constrained")
for (name, (seconds, megabytes)), color in zip(
    curves.items(), ("#c1272d", "#4c72b0", "#7f7f7f"), strict=True
):
    ax.plot(seconds, megabytes, color=color, label=name)
    print(f"{name}: at most {megabytes.max():.0f} MB")
ax.axhline(path.stat().st_size / 2**20, color="black", lw=0.8, ls=":", label="size of the file")
ax.set(xlabel="seconds", ylabel="memory of the training, MB", ylim=(0, None))
ax.legend(fontsize=8)
plt.show()

# %%
# The file is sorted by drill and time, and faulty rows are at the end of each drill. An epoch reads
# its chunks in random order and mixes the rows of a buffer. Predictions and the search for costs
# take the table in chunks, too. The score is that of the training rows, because this example is
# about memory.
table = ChunkedTable.from_npy(path, buffer_bytes=2**24)
tuned = TunedCostClassifierCV(network.fit(table, y), cv="prefit", scoring="g_mean")
print(f"G-mean {tuned.fit(table, y).best_score_:.2f}, costs {tuned.costs_.round(2)}")
folder.cleanup()
