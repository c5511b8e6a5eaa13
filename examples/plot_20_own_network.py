"""
A pre-trained backbone for few rare samples
===========================================

A small convolutional network of one's own learns to tell eight digits apart. Its first layers are
then used for two other digits, of which one has four training images only. A backbone that is
frozen, or trained later and slowly, is compared with a network that is trained from nothing.
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits
from torch import nn

from skimbal import NetClassifier
from skimbal.neural_network import Module, fit_population

# %%
# Any module that maps a batch to logits is a network. As a class it is called with the shape of a
# sample and the number of classes. The backbone has a name, so that it can be taken elsewhere.


class DigitNet(nn.Module):
    def __init__(self, input_shape, n_classes, backbone=None):
        super().__init__()
        n_channels = input_shape[0]
        self.backbone = backbone or nn.Sequential(
            nn.Conv2d(n_channels, 16, 3, padding=1),
            nn.ReLU(),
            nn.MaxPool2d(2),
            nn.Conv2d(16, 32, 3, padding=1),
            nn.ReLU(),
            nn.MaxPool2d(2),
            nn.Flatten(),
        )
        self.classifier = nn.Linear(128, n_classes)

    def forward(self, x):
        return self.classifier(self.backbone(x))


# %%
# The first data set: the images of the digits from 0 to 7, with noise. Every network of this
# package brings its inputs to mean 0 and deviation 1. Here both data sets are divided by the same
# number instead, because the backbone must see them on one scale.

images, digits = load_digits(return_X_y=True)
images = images.reshape(-1, 1, 8, 8) / 16.0
images += np.random.default_rng(0).normal(scale=0.4, size=images.shape)
is_first = digits < 8
options = {"standardize": False, "batch_size": 32, "learning_rate": 3e-3}
first = NetClassifier(DigitNet, **options, max_epochs=20, random_state=0)
first.fit(images[is_first], digits[is_first])
backbone = first.net_.module_.network.backbone
print(f"trained on {is_first.sum()} images of eight digits")

# %%
# The second data set: 8 is frequent, 9 is rare. Eight times, 80 images of 8 and 4 images of 9
# are drawn for the training. The test images are the same in all draws.

eights, nines = np.flatnonzero(digits == 8), np.flatnonzero(digits == 9)
test_rows = np.concatenate([eights[:70], nines[:70]])
draws = []
for seed in range(8):
    rng = np.random.default_rng(seed)
    chosen = [rng.choice(rows[70:], n, replace=False) for rows, n in ((eights, 80), (nines, 4))]
    draws.append(np.concatenate(chosen))

# %%
# Three ways to train the same network. ``frozen`` names parameters that are not trained, by a
# pattern. ``unfreeze_epoch`` says when they are, and ``learning_rates`` how slowly. The test data
# are given as validation data only to see the scores after each epoch.

UNFREEZE_EPOCH = 16
pretrained = Module(DigitNet, backbone=backbone)  # the last layer is drawn by random_state
ways = {
    "trained from nothing": {"module": DigitNet},
    "frozen backbone": {"module": pretrained, "frozen": "backbone.*"},
    f"backbone trained from epoch {UNFREEZE_EPOCH} on": {
        "module": pretrained,
        "frozen": "backbone.*",
        "unfreeze_epoch": UNFREEZE_EPOCH,
        "learning_rates": {"backbone.*": 3e-4},
    },
}
validation = {"X_val": images[test_rows], "y_val": digits[test_rows]}
scores = {}
for name, way in ways.items():
    histories = []
    for seed, rows in enumerate(draws):
        network = NetClassifier(**way, **options, class_weight="balanced", max_epochs=40)
        network.set_params(early_stopping=True, n_iter_no_change=40, scoring="g_mean")
        network.set_params(random_state=seed).fit(images[rows], digits[rows], **validation)
        histories.append(network.history_["valid_score"])
    scores[name] = np.array(histories)
    print(f"{name}: G-mean of the last epoch {scores[name][:, -1].mean():.3f}")

# %%
# The lines are means over the eight draws, the bands are quartiles. Up to the dotted line, the two
# networks with a backbone are the same. The network that is trained from nothing learns the noise
# of the four rare images. So does the backbone after it has been unfrozen, more slowly.

figure, ax = plt.subplots(figsize=(7, 4), layout="constrained")
epochs = np.arange(1, 41)
for name, values in scores.items():
    (line,) = ax.plot(epochs, values.mean(axis=0), label=name)
    low, high = np.quantile(values, [0.25, 0.75], axis=0)
    ax.fill_between(epochs, low, high, color=line.get_color(), alpha=0.2, linewidth=0)
ax.axvline(UNFREEZE_EPOCH, color="gray", linestyle=":")
ax.set(xlabel="epoch", ylabel="G-mean of the test images", ylim=(0, 0.9), xlim=(1, 40))
ax.legend(loc="lower right")
plt.show()

# %%
# Networks of one structure are trained together, also those of a class of one's own: here ten
# networks, from ten seeds.

networks = [NetClassifier(DigitNet, **options, max_epochs=5, random_state=i) for i in range(10)]
fitted = fit_population(networks, images[draws[0]], digits[draws[0]], verbose=1)
