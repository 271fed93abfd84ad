"""`python -m retriton_pipeline.cli` is `retriton`."""

from retriton_pipeline.cli import main

if __name__ == "__main__":
    main()
