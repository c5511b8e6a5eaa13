"""The engine: one training loop, stacked networks, contrastive divergence, prediction.

Other packages may import from the modules of this package that have no underscore. A network is
trained in `population.py`, batch by batch; everything else here serves that loop.

Glossary
--------
job
    One network to be trained, with its data and settings (`TrainingJob`).
population
    Networks of one structure that are trained together. A single fit is a population of one.
structure
    What the networks of a population have in common: everything but the values of their tensors.
stack
    The parameters of a population in one tensor, a row a network, and how their gradients are
    computed: by hand (dense), by `torch.func` (functional) or one after another (sequential).
row order
    The order in which an epoch goes through the training rows of a network.
segment
    A part of the row order of many rows, whose batches are made when it comes (`segments.py`).
buffer
    The rows of a table on the disk that are in memory at a time (`chunked.py`).
share
    What a row counts in the loss of its batch: its weight divided by the sum of the batch.
net
    skorch's container of the module, the loss, the optimizer and the history of one network.
"""
