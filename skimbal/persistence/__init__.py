"""Files of fitted estimators that run no code when they are loaded, and exports to ONNX."""

from skimbal.persistence._files import load, save
from skimbal.persistence._onnx import to_onnx

__all__ = ["load", "save", "to_onnx"]
