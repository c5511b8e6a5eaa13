"""
Convolutional networks on spectrograms
======================================

This example classifies spectrograms of motor sounds with a small convolutional network. Three of
the four classes are rare. It trains the network without any measure, with class weights, and with
mini-batches that are drawn by class.
"""

# %%
# The sounds are simulated. Each recording becomes an image of frequencies by times, in decibels.
# Two thirds of the recordings of each class are training data.
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
# ``class_weight`` weights the loss of each sample. ``sampler`` draws the samples of a mini-batch
# class by class, so the few rare samples are used many times in an epoch.
MEASURES = {
    "no measure": {},
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
    for name, parameters in MEASURES.items()
}

# %%
# The training losses of the three networks cannot be compared, because each has its own weighting.
# The recalls can.
classes = networks["no measure"].classes_
figure, (left, right) = plt.subplots(1, 2, figsize=(10, 4), layout="constrained")
for i, (name, network) in enumerate(networks.items()):
    left.plot(network.history_.epoch, network.history_.train_loss, label=name)
    predicted = network.predict(X_test)
    recalls = recall_score(y_test, predicted, labels=classes, average=None)
    print(f"{name}: macro F1 {macro_f1(y_test, predicted):.2f}")
    right.bar(np.arange(len(classes)) + 0.27 * (i - 1), recalls, width=0.25, label=name)
left.set(xlabel="epoch", ylabel="training loss", title="training loss, each with its own weighting")
left.legend()
counts = {label: int((y_test == label).sum()) for label in classes}
right.set_xticks(range(len(classes)), [f"{label}\n({n} test)" for label, n in counts.items()])
right.set(ylabel="recall", title="recall by class")
plt.show()

# %%
# The rarest class has three test recordings, so this single split does not show which measure is
# better. The pages of results compare them over many repetitions.
