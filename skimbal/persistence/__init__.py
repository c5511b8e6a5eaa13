"""Files of fitted estimators that run no code when they are loaded, and exports to ONNX."""

import typing

from skimbal._lazy import lazy_names as _lazy_names

if typing.TYPE_CHECKING:
    from skimbal.persistence._files import load, save
    from skimbal.persistence._onnx import to_onnx
else:
    __getattr__, __dir__ = _lazy_names(
        __name__,
        {
            "skimbal.persistence._files": "load save",
            "skimbal.persistence._onnx": "to_onnx",
        },
    )

__all__ = ["load", "save", "to_onnx"]
