"""What river adds to the comparison on drifting streams: its streams and its learners."""

from itertools import islice

import numpy as np
from river import base, forest, imblearn, linear_model, preprocessing, tree
from river.datasets import synth

BALANCED = {0: 0.5, 1: 0.5}
SEA_NOISE = 0.1  # share of wrong labels, as in the article of Street and Kim (2001)
AGRAWAL = {"classification_function": 1, "perturbation": 0.05}


def samples_by_class(dataset, n_samples):
    """Return `n_samples` of each of the classes 0 and 1, in the order of the dataset."""
    found = {0: [], 1: []}
    for features, label in islice(dataset, 200 * n_samples):
        of_class = found[int(label)]
        if len(of_class) < n_samples:
            of_class.append(list(features.values()))
        if all(len(samples) == n_samples for samples in found.values()):
            break
    return {label: np.array(samples, dtype=float) for label, samples in found.items()}


def with_labels(y, by_class):
    """Return samples with these labels, each class in its own order."""
    X = np.empty((len(y), by_class[0].shape[1]))
    for label, samples in by_class.items():
        chosen = y == label
        X[chosen] = samples[: np.count_nonzero(chosen)]
    return X


def sea(y, seed):
    """SEA's samples with these labels; its concept changes after each quarter."""
    quarters = np.array_split(y, 4)
    parts = []
    for variant, labels in enumerate(quarters):
        dataset = synth.SEA(variant=variant, noise=SEA_NOISE, seed=10 * seed + variant)
        parts.append(with_labels(labels, samples_by_class(dataset, len(labels))))
    return np.concatenate(parts)


def agrawal(y, seed):
    """Agrawal's samples with these labels, of one concept."""
    return with_labels(y, samples_by_class(synth.Agrawal(**AGRAWAL, seed=seed), len(y)))


def as_dicts(X):
    """Return the samples as river takes them."""
    return [dict(enumerate(sample)) for sample in X.tolist()]


class RiverLearner:
    """A classifier of river that gets batches, sample by sample."""

    def __init__(self, classifier):
        self.classifier = classifier

    def predict(self, X):
        """Return labels; river gives none before it has seen any, which counts as class 0."""
        return np.array([int(self.classifier.predict_one(x) or 0) for x in as_dicts(X)])

    def learn(self, X, y):
        for features, label in zip(as_dicts(X), y.tolist(), strict=True):
            self.classifier.learn_one(features, label)


class Collector(base.Classifier):
    """Keeps the samples that a sampler of river lets through."""

    def __init__(self):
        self.samples = []

    def predict_one(self, x):
        raise NotImplementedError("the network predicts")

    def learn_one(self, x, y):
        self.samples.append(([*x.values()], y))


class SampledNetwork:
    """A network that is trained on what a sampler of river makes of each batch."""

    def __init__(self, network, make_sampler, seed):
        self.network = network
        self.collector = Collector()
        self.sampler = make_sampler(self.collector, desired_dist=BALANCED, seed=seed)

    def predict(self, X):
        return self.network.predict(X)

    def learn(self, X, y):
        self.collector.samples.clear()
        RiverLearner(self.sampler).learn(X, y)
        if self.collector.samples:
            samples, labels = zip(*self.collector.samples, strict=True)
            self.network.partial_fit(np.array(samples), np.array(labels), classes=[0, 1])


def logistic_regression(seed):
    return preprocessing.StandardScaler() | linear_model.LogisticRegression()


def hoeffding_tree(seed):
    return tree.HoeffdingAdaptiveTreeClassifier(seed=seed)


def adaptive_forest(seed):
    return forest.ARFClassifier(seed=seed)


def hard_sampling(seed):
    """As in river's documentation: a buffer of 40 hard samples, drawn one time in ten."""
    hard = imblearn.HardSamplingClassifier(
        linear_model.LogisticRegression(), size=40, p=0.1, seed=seed
    )
    return preprocessing.StandardScaler() | hard


SAMPLERS = {
    "undersampled": imblearn.RandomUnderSampler,
    "oversampled": imblearn.RandomOverSampler,
}
CLASSIFIERS = {
    "logistic regression": logistic_regression,
    "Hoeffding adaptive tree": hoeffding_tree,
    "adaptive random forest": adaptive_forest,
}


def rebalanced(make_classifier, make_sampler):
    """Return a function of the seed: the classifier on a stream that the sampler balances."""

    def make(seed):
        return make_sampler(make_classifier(seed), desired_dist=BALANCED, seed=seed)

    return make


def river_classifiers():
    """Functions of the seed that make river's classifiers, by the name of their row."""
    made = {}
    for name, make_classifier in CLASSIFIERS.items():
        made[name] = make_classifier
        for sampling, make_sampler in SAMPLERS.items():
            made[f"{name}, {sampling}"] = rebalanced(make_classifier, make_sampler)
    return {**made, "logistic regression, hard sampling": hard_sampling}
