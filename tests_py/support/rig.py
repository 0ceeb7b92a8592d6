"""A gateway made to be damaged: its processes, its database server and its provider in one hand."""

from __future__ import annotations

import asyncio
import json
import random
import time
from dataclasses import dataclass, field

from tests_py.support.gateway import Gateway, Process
from tests_py.support.honest_provider import MODEL
from tests_py.support.server import MortalCluster
from tests_py.support.truth import HonestProvider
from tests_py.worker.stage import Stage

_START_SECONDS = 60


@dataclass
class Rig:
    """Everything that may break, and the moments (CLOCK_MONOTONIC) at which it was broken."""

    gateway: Gateway
    tokens: list[str]
    cluster: MortalCluster
    provider: HonestProvider
    killed: list[float] = field(default_factory=list)

    @property
    def token(self) -> str:
        """The first customer's."""
        return self.tokens[0]

    def kill_worker(self, chance: random.Random) -> None:
        """SIGKILL for one of the workers; another is started at once."""
        victim = chance.choice(self._running(self.gateway.workers))
        self._kill(victim)
        self.gateway.workers.remove(victim)
        self.gateway.start_worker()

    async def kill_worker_at(self, event: str, seconds: float = 60) -> None:
        """SIGKILL for the next worker that logs this event with its `pid`; another is started at once."""
        seen = self.gateway.log().count(f'"event":"{event}"')
        async with asyncio.timeout(seconds):
            while True:
                lines = [line for line in self.gateway.log().splitlines() if f'"event":"{event}"' in line]
                numbers = {json.loads(line)["pid"] for line in lines[seen:] if line.endswith("}")}
                victims = [worker for worker in self._running(self.gateway.workers) if worker.pid in numbers]
                if victims:
                    break
                await asyncio.sleep(0.01)
        self._kill(victims[0])
        self.gateway.workers.remove(victims[0])
        self.gateway.start_worker()

    def kill_front(self, chance: random.Random) -> None:
        """SIGKILL for one of the fronts; another is started at once on the same socket."""
        victim = chance.choice(self._running(self.gateway.fronts))
        self._kill(victim)
        self.gateway.fronts.remove(victim)
        self.gateway.start_front()

    def crash_database(self) -> None:
        """SIGKILL for all of PostgreSQL, which is started again at once."""
        self.killed.append(time.monotonic())
        self.cluster.crash()
        self.cluster.start()

    def wait_until_linked(self) -> None:
        """Returns when all processes that were started say that they are there."""
        deadline = time.monotonic() + _START_SECONDS
        wanted = len(self.gateway.workers)
        while self.gateway.log().count('"event":"worker_ready"') < wanted:
            assert time.monotonic() < deadline, self.gateway.log()[-2000:]
            time.sleep(0.02)

    def _kill(self, victim: Process) -> None:
        victim.kill()
        self.killed.append(time.monotonic())

    @staticmethod
    def _running(processes: list[Process]) -> list[Process]:
        running = [process for process in processes if process.running]
        assert running, "nobody is left to be killed"
        return running


def put_up_provider(gateway: Gateway, endpoint: str, *others: str) -> list[str]:
    """Sets up the provider, a dollar for a million tokens, and customers without limits, one of them `played`; gives
    their tokens."""
    stage = Stage(gateway)
    tokens = [stage.token, *(stage.customer(name) for name in others)]
    stage.provider("honest", endpoint, MODEL)
    stage.query(
        "update admin.customer set rate_limit_requests_per_minute = 6000000, cost_budget_daily = 1000000,"
        " cost_budget_monthly = 1000000 returning 1"
    )
    stage.query(
        "update admin.model set max_output_tokens = 100000, context_tokens = 1000000"
        " where provider = 'honest' returning 1"
    )
    stage.close()
    return tokens
