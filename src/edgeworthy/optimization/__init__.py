"""Versions of a model that suit each class of CPU, and the proof of what was done to it."""

from edgeworthy.optimization.recipes import recipes_for
from edgeworthy.optimization.variants import MadeVariant, Refusal, make_variant

__all__ = ["MadeVariant", "Refusal", "make_variant", "recipes_for"]
