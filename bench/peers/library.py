"""Peers that run in process, in an environment of their own."""

from __future__ import annotations

import json
import os
import subprocess
from dataclasses import dataclass

import numpy as np

from bench.peers.peer import Job, Peer, Rates, UnavailableError, last_line


@dataclass(frozen=True)
class Library(Peer):
    """A library.

    Attributes:
        module: module of this folder that loads it.
        variant: argument of the module, for example the library's backend.
        batch: number of texts in a batch.
    """

    module: str
    variant: str
    batch: int

    def measure(self, job: Job) -> Rates:
        """Runs the module and reads its last line."""
        python = self.environment / "bin" / "python"
        arguments = [str(job.checkpoint), self.variant, str(self.batch), str(job.folder), str(job.seconds)]
        environ = {**os.environ, "HF_HUB_OFFLINE": "1", **self.environ}
        log = job.folder / f"{self.requirements}.log"
        with log.open("w") as stream:
            done = subprocess.run(
                [python, "-m", f"bench.peers.{self.module}", *arguments],
                env=environ,
                stdout=subprocess.PIPE,
                stderr=stream,
                text=True,
                check=False,
            )
        if done.returncode:
            raise UnavailableError(f"failed; {last_line(log)}")
        result = json.loads(done.stdout.splitlines()[-1])
        return Rates(np.array(result["sample"], np.float32), result["passages"], result["single_queries"])
