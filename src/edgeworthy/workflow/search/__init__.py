"""The search for the version of a model that suits a target best: trials, state, choice."""
