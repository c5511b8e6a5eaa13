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
from sklearn.model_selection import train_test_split

from skimbal import CNN2DClassifier
from skimbal.datasets import make_motor_sound
from skimbal.inspection import (
    ConfusionMatrixGridDisplay,
    FeatureMapDisplay,
    TrainingHistoryDisplay,
)
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
for name, network in networks.items():
    print(f"{name}: macro F1 {macro_f1(y_test, network.predict(X_test)):.2f}")
TrainingHistoryDisplay.from_estimator(networks)
plt.show()

# %%
# The confusion matrices of the test recordings can be compared. A row adds up to 1, and the
# diagonal is the recall of each class.
ConfusionMatrixGridDisplay.from_estimator(networks, X_test, y_test)
plt.show()

# %%
# The features before the last layer, mapped to two dimensions by t-SNE. Each network has a map of
# its own. All recordings are shown.
FeatureMapDisplay.from_estimator(networks, X, y)
plt.show()

# %%
# The rarest class has three test recordings, so this single split does not show which measure is
# better. The pages of results compare them over many repetitions.
