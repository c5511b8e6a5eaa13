"""What cells cost: measured where cells are finished, and estimated from these where none is."""

from collections import Counter
from heapq import heapreplace

# Seconds for each value of X, where nothing was measured: it gives an order and no more.
UNKNOWN_RATE = 1e-5


class Costs:
    """Seconds that a cell of a data set and a method takes.

    Parameters
    ----------
    sizes : dict of str to int
        Number of values of X of each data set.
    """

    def __init__(self, sizes):
        self.sizes = sizes
        self._seconds: Counter = Counter()  # by (data set, method), by method, and of all (None)
        self._values: Counter = Counter()
        self._n: Counter = Counter()

    def add_table(self, cells):
        """Add the finished cells of a results file; those that failed have no time."""
        columns = cells[["dataset", "method", "fit_seconds", "predict_seconds"]].dropna()
        for row in columns.itertuples(index=False):
            self.add(row.dataset, row.method, row.fit_seconds + row.predict_seconds)

    def add(self, dataset, method, seconds):
        """Add a finished cell."""
        for key in ((dataset, method), method, None):
            self._seconds[key] += seconds
            self._values[key] += self.sizes[dataset]
            self._n[key] += 1

    def is_measured(self, method):
        """Whether a cell of the method is finished, on any data set."""
        return self._n[method] > 0

    def seconds(self, dataset, method):
        """Seconds of a cell.

        The mean of its data set and method; without one, the seconds of the method for each value
        of X, times the values of the data set; without these, those of all methods.

        Examples
        --------
        >>> costs = Costs({"small": 10, "large": 1000})
        >>> costs.add("small", "dbn", 2.0)
        >>> costs.seconds("small", "dbn"), costs.seconds("large", "dbn")
        (2.0, 200.0)
        """
        if self._n[dataset, method]:
            return self._seconds[dataset, method] / self._n[dataset, method]
        for key in (method, None):
            if self._values[key]:
                return self._seconds[key] / self._values[key] * self.sizes[dataset]
        return UNKNOWN_RATE * self.sizes[dataset]


def makespan(seconds, n_workers):
    """Seconds until tasks are done that workers take one after another, the largest first.

    Parameters
    ----------
    seconds : iterable of float
        Of each task.
    n_workers : int

    Examples
    --------
    >>> makespan([1.0, 5.0, 2.0, 3.0], 2)
    6.0
    """
    loads = [0.0] * n_workers
    for each in sorted(seconds, reverse=True):
        heapreplace(loads, loads[0] + each)
    return max(loads)
