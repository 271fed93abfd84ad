"""Installs the shared libpython of this interpreter's version if it is missing. Triton's Python backend loads it."""

import ctypes
import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

PACKAGE = "libpython{}.{}".format(*sys.version_info[:2])
LIBRARY = f"{PACKAGE}.so.1.0"


def found() -> bool:
    """Returns whether the library is in the interpreter's folder of libraries, or the loader finds it."""
    if (Path(sysconfig.get_config_var("LIBDIR")) / LIBRARY).exists():
        return True
    try:
        ctypes.CDLL(LIBRARY)
    except OSError:
        return False
    return True


if not found() and os.geteuid() == 0 and shutil.which("apt-get"):
    subprocess.run(["apt-get", "update", "-qq"], check=True)
    subprocess.run(["apt-get", "install", "-y", "-qq", "--no-install-recommends", PACKAGE], check=True)
if not found():
    sys.exit(f"Triton's Python backend needs {LIBRARY}. On Debian and Ubuntu: sudo apt-get install {PACKAGE}")
