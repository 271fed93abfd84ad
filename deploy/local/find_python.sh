#!/bin/sh
# Prints the newest Python that Retriton runs on and that can create environments; uv gets one where there is none.
# A command on PATH is run to be sure: pyenv has shims for versions that are not selected, and those fail.
set -u
for version in 3.13 3.12 3.11; do
    if "python$version" -c 'import ensurepip, venv' >/dev/null 2>&1; then
        command -v "python$version"
        exit
    fi
done
if command -v uv >/dev/null; then
    echo "no Python 3.11, 3.12 or 3.13 is installed: getting 3.13 with uv" >&2
    uv python install --quiet 3.13 && exec uv python find --managed-python 3.13
fi
echo "Retriton needs Python 3.11, 3.12 or 3.13 with venv, or uv to get one." >&2
echo "On Debian and Ubuntu: sudo apt-get install python3-venv. Or name an interpreter: make PYTHON=..." >&2
exit 1
