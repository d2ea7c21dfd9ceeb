"""``python -m edgeworthy``: the command line."""

from edgeworthy.cli.main import main

if __name__ == "__main__":
    main()
