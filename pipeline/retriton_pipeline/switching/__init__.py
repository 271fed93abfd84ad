"""Another encoder for a collection, while it is searched: re-embedding, publishing, and the way back."""

from retriton_pipeline.switching.rollback import roll_back
from retriton_pipeline.switching.switch import EncoderSwitch, OnProgress, SwitchKeywords, SwitchOptions, SwitchReport

__all__ = ["EncoderSwitch", "OnProgress", "SwitchKeywords", "SwitchOptions", "SwitchReport", "roll_back"]
