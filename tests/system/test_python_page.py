"""The Python examples of a page run as they stand, in order, in one program."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.chat_endpoint import Says, chat_endpoint
from tests.conftest import ROOT

pytestmark = [pytest.mark.triton, pytest.mark.milvus]
_BLOCK = re.compile(r"^```python\n(.*?)^```", re.MULTILINE | re.DOTALL)
_EXPECTED = re.compile(r"^\s*print\(.*\)  # (.+)$", re.MULTILINE)
ANSWER = "Queries do not wait behind bulk passages [1]."


@pytest.mark.parametrize("page", ["README.md", "docs/python.md", "docs/quickstart.md", "docs/triton.md"])
def test_examples_run(page: str, url: str, tmp_path: Path) -> None:
    program = "\n\n".join(_BLOCK.findall((ROOT / page).read_text()))
    assert program
    shutil.copytree(ROOT / "docs" / "samples", tmp_path / "docs" / "samples")
    with chat_endpoint(Says(tuple(re.findall(r"\S+\s*", ANSWER)))) as endpoint:
        here = program.replace("127.0.0.1:8001", url).replace("http://127.0.0.1:9000/v1", endpoint.url)
        script = tmp_path / "example.py"  # a script without a main guard, as users write it
        script.write_text(here)
        done = subprocess.run(
            [sys.executable, script],
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    missing = [expected for expected in _EXPECTED.findall(program) if expected not in lines]
    assert not missing, done.stdout
    assert "LLM(" not in program or ANSWER in done.stdout
