"""The command line: one file a verb. Parse, call the workflow, print."""
