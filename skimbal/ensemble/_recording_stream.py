"""A recording that arrives in blocks, classified window by window."""

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.utils.validation import check_is_fitted

from skimbal.ensemble._scale import peak, warn_of_scale
from skimbal.ensemble._window_prediction import windows_proba
from skimbal.preprocessing import index_windows


class RecordingStream:
    r"""Classify the windows of a recording that arrives in blocks of samples.

    Window k has the samples :math:`k s` to :math:`k s + W - 1`, where s is the `step_` and W the
    `size_` of the classifier. `feed` returns the predicted probabilities of a window in the call
    that brings its last sample. The delay is therefore W samples after the start of the window,
    however the signal is cut into blocks. The rows of all calls together are those that
    `predict_proba_windows` returns for the whole recording, up to rounding.

    The stream keeps the samples that the next windows need: fewer than W of them between two calls.
    It copies each block, so the caller may use its memory again.

    Parameters
    ----------
    classifier : WindowedClassifier
        A fitted classifier. It is not copied: what it learns by `partial_fit` shows at once.

    Attributes
    ----------
    classifier : WindowedClassifier
        The classifier.
    n_samples : int
        Samples of each channel that were fed.
    n_windows : int
        Windows whose probabilities were returned. The next row belongs to the window that starts
        at sample ``n_windows * classifier.step_``.

    See Also
    --------
    WindowedClassifier.stream : Returns a stream.

    Examples
    --------
    >>> import numpy as np
    >>> from skimbal import MLPClassifier, WindowedClassifier
    >>> rng = np.random.default_rng(0)
    >>> y = np.repeat(["quiet", "loud"], [15, 5])
    >>> X = [rng.normal(size=(1, 300)) * (3 if label == "loud" else 1) for label in y]
    >>> network = MLPClassifier(max_epochs=5, random_state=0)
    >>> classifier = WindowedClassifier(network, size=100, step=50).fit(X, y)
    >>> stream = classifier.stream()
    >>> [len(stream.feed(X[0][:, first : first + 60])) for first in range(0, 300, 60)]
    [0, 1, 1, 1, 2]
    """

    def __init__(self, classifier):
        check_is_fitted(classifier)
        self.classifier = classifier
        self.reset()

    def reset(self) -> None:
        """Forget all samples: the next block is the beginning of a recording."""
        self.n_samples = 0
        self.n_windows = 0
        self._pieces: list[NDArray] = []
        self._dtype: np.dtype | None = None
        self._windows = self.classifier.size_, self.classifier.step_
        self._is_warned = False

    def feed(self, block: ArrayLike) -> NDArray[np.float64]:
        """Take the next samples, and return the probabilities of the windows that they complete.

        Parameters
        ----------
        block : array-like of shape (channels, n_samples), or (n_samples,) for one channel
            Any number of finite samples, of one type of numbers for the whole recording.

        Returns
        -------
        ndarray of shape (n_windows, n_classes)
            A row for each window that is complete, in the order of time; often no row. The columns
            are in the order of the `classes_` of the classifier.

        Raises
        ------
        ValueError
            For other channels than in the fit, values that are not finite, another type than
            before, or a classifier that has been fitted with other windows. The stream is then as
            it was before the call, and the next block can be fed.

        Warns
        -----
        UserWarning
            Once, if the samples are on another scale than the training (`WindowedClassifier`).
        """
        samples = self._check_block(block)
        size, step = self._windows
        begin = self.n_windows * step  # of the next window
        new = samples[:, max(0, begin - self.n_samples) :]
        end = self.n_samples + samples.shape[1]
        n_complete = max(0, (end - begin - size) // step + 1)
        if n_complete:
            signal = np.concatenate([*self._pieces, new], axis=1)
            proba = windows_proba(self.classifier, index_windows([signal], size, step))
            rest = signal[:, n_complete * step :]
            self._pieces = []
        else:
            proba, rest = np.empty((0, len(self.classifier.classes_))), new
        if rest.shape[1]:
            self._pieces.append(rest.copy())
        self.n_samples, self.n_windows, self._dtype = (
            end,
            self.n_windows + n_complete,
            samples.dtype,
        )
        return proba

    def _check_block(self, block):
        """Return a block as an array of shape (channels, n_samples), or raise a ValueError."""
        classifier = self.classifier
        try:
            block = np.asarray(block)
        except ValueError as error:
            raise ValueError(
                "the block is no array, because its channels differ in length; give an array of "
                "shape (channels, n_samples)"
            ) from error
        if block.ndim not in (1, 2) or block.dtype.kind not in "fiub":
            raise ValueError(
                f"the block is {block.dtype} of shape {block.shape}; it must be numbers of shape "
                "(channels, n_samples), or (n_samples,) for one channel"
            )
        block = np.atleast_2d(block)
        n_channels = classifier.n_channels_in_
        if len(block) != n_channels:
            advice = "; transpose it" if block.shape[1] == n_channels else ""
            raise ValueError(
                f"the block has shape {block.shape}, so it has {len(block)} channels, but the "
                f"classifier was fitted on recordings of {n_channels} channels{advice}"
            )
        if block.dtype.kind == "f" and not np.isfinite(block).all():
            raise ValueError(
                "the block has values that are NaN or infinite; replace them, or leave the block "
                "out and call reset"
            )
        if self._dtype is not None and block.dtype != self._dtype:
            raise ValueError(
                f"the blocks before are {self._dtype} and this one is {block.dtype}; feed one type "
                "of numbers, or call reset at the beginning of another recording"
            )
        if self._windows != (classifier.size_, classifier.step_):
            raise ValueError(
                f"the classifier has been fitted again, on windows of {classifier.size_} samples "
                f"at a step of {classifier.step_}, and the stream has samples for "
                f"{self._windows[0]} at a step of {self._windows[1]}; call reset"
            )
        if not self._is_warned:
            given = {block.dtype.name: peak(block)}
            self._is_warned = warn_of_scale(classifier.peaks_by_type_, given, "the samples")
        return block
