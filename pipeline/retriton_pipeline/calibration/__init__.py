"""Defaults of a collection's searches that its own texts decide, without labels."""

from retriton_pipeline.calibration.dense_weight import calibrate

__all__ = ["calibrate"]
