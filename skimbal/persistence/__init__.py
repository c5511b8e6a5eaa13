"""Files of fitted estimators that run no code when they are loaded."""

from skimbal.persistence._files import load, save

__all__ = ["load", "save"]
