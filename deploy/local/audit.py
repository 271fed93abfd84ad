"""Looks for known vulnerabilities in the packages of environments, with pip-audit.

The exit code is 0 if every package was audited and none is vulnerable, 1 if one is, and 2 if packages were not audited.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

_SERVICES = ("osv", "pypi")
_TIMEOUT_S = 600
_WAY_OUT = (
    "Run `make audit` on a machine that reaches a service with advisories (osv or pypi), or scan the bills of "
    "materials that `make sbom` writes to build/sbom with a scanner that has a database of its own."
)
_OWN = "retriton"
Package = dict[str, Any]


def main(environments: list[Path]) -> int:
    """Audits ``environments``, prints what was found, and returns the exit code."""
    return max(_verdict(environment, audited(environment)) for environment in environments)


def audited(environment: Path) -> list[Package]:
    """The packages of an environment as pip-audit reports them; empty if no service responds."""
    (site_packages,) = environment.glob("lib/python3*/site-packages")
    for service in _SERVICES:
        command = ["pip-audit", "--path", site_packages, "-s", service, "-f", "json", "--progress-spinner", "off"]
        command[0] = Path(sys.executable).parent / "pip-audit"
        done = subprocess.run(command, capture_output=True, text=True, timeout=_TIMEOUT_S, check=False)
        packages = _parsed(done.stdout)
        if any("vulns" in package for package in packages):
            return packages
    return []


def _parsed(report: str) -> list[Package]:
    try:
        packages: list[Package] = json.loads(report)["dependencies"]
    except (ValueError, KeyError):
        return []
    return packages


def _verdict(environment: Path, packages: list[Package]) -> int:
    """The exit code. A package that was skipped was not audited; pip-audit itself does not report that as a failure."""
    vulnerable = [package for package in packages if package.get("vulns")]
    skipped = [one["name"] for one in packages if "skip_reason" in one and one["name"] != _OWN]
    print(f"{environment}: {len(packages) - len(skipped)} packages audited, {len(vulnerable)} vulnerable")  # noqa: T201
    for package in vulnerable:
        advisories = ", ".join(advisory["id"] for advisory in package["vulns"])
        print(f"  {package['name']} {package['version']}: {advisories}")  # noqa: T201
    if not packages or skipped:
        missing = f"these packages were not audited: {', '.join(skipped)}" if skipped else "nothing was audited"
        print(f"{environment}: {missing}. {_WAY_OUT}", file=sys.stderr)  # noqa: T201
        return 2
    return int(bool(vulnerable))


if __name__ == "__main__":
    sys.exit(main([Path(folder) for folder in sys.argv[1:]]))
