"""
Convolutional networks on spectrograms
======================================

Motor sounds of four kinds, most of them normal: spectrograms, a small convolutional network, and
three ways to let it see the rare classes: none, class weights, mini-batches drawn by class.
"""

# %%
# Recordings become images: frequencies by times, in decibels. Two thirds of the recordings of each
# class train the networks. The sounds are simulated.
import matplotlib.pyplot as plt
import numpy as np
from sklearn.metrics import recall_score
from sklearn.model_selection import train_test_split

from skimbal import CNN2DClassifier
from skimbal.datasets import make_motor_sound
from skimbal.metrics import macro_f1
from skimbal.preprocessing import Spectrogram

sounds, y = make_motor_sound(
    n_normal=150,
    n_misaligned=16,
    n_bearing=22,
    n_noise=9,
    duration_s=1.0,
    snr_db=10.0,
    random_state=0,
    return_X_y=True,
)
spectrogram = Spectrogram(window=1024, hop=1024, sampling_rate_hz=25_600, max_hz=6000)
X = spectrogram.fit_transform(np.stack(sounds))
print(f"{len(X)} images of {X.shape[2]} frequencies by {X.shape[3]} times")
X_train, X_test, y_train, y_test = train_test_split(
    X, y, test_size=1 / 3, stratify=y, random_state=0
)

# %%
# ``class_weight`` weighs the loss of each sample; ``sampler`` draws the samples of a mini-batch
# class by class, so that the few rare ones come again and again.
WAYS = {
    "as they are": {},
    'class_weight="balanced"': {"class_weight": "balanced"},
    'sampler="balanced"': {"sampler": "balanced"},
}
networks = {
    name: CNN2DClassifier(
        n_filters=(8, 16),
        kernel_size=5,
        pool_size=4,
        global_pooling=False,
        batch_size=16,
        max_epochs=30,
        learning_rate=1e-3,
        random_state=0,
        **parameters,
    ).fit(X_train, y_train)
    for name, parameters in WAYS.items()
}

# %%
# The losses of the three can't be compared: each is the mean over its own weighting. Recalls can.
classes = networks["as they are"].classes_
figure, (left, right) = plt.subplots(1, 2, figsize=(10, 4), layout="constrained")
for i, (name, network) in enumerate(networks.items()):
    left.plot(network.history_.epoch, network.history_.train_loss, label=name)
    predicted = network.predict(X_test)
    recalls = recall_score(y_test, predicted, labels=classes, average=None)
    print(f"{name}: macro F1 {macro_f1(y_test, predicted):.2f}")
    right.bar(np.arange(len(classes)) + 0.27 * (i - 1), recalls, width=0.25, label=name)
left.set(xlabel="epoch", ylabel="training loss", title="each by its own weighting")
left.legend()
counts = {label: int((y_test == label).sum()) for label in classes}
right.set_xticks(range(len(classes)), [f"{label}\n({n} test)" for label, n in counts.items()])
right.set(ylabel="recall", title="recall by class")
plt.show()

# %%
# With three test recordings of the rarest class a single split shows how it is done, not which way
# is better; the pages on losses compare ways over many repetitions.
