"""`python -m retriton_pipeline.cli` is `retriton`."""

from retriton.__main__ import main

if __name__ == "__main__":
    main()
