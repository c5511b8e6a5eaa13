"""Files of fitted estimators that run no code when they are loaded, and exports to ONNX."""

from skimbal.persistence._files import load, save

__all__ = ["load", "save"]
