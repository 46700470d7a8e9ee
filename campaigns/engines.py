"""Who does the work: this process, processes of this machine, or a Dask cluster; the answer is one.

Slices of a screen and runs of a backtest are tasks, and a worker that dies costs the tasks that it had: Dask gives them
to others. What slices found is merged on the workers as a tree. Dask is an extra and is imported where it is used.
"""

from __future__ import annotations

import logging
import pickle
import signal
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, replace
from importlib import import_module
from importlib.metadata import version
from typing import Any, Protocol, TypeAlias, TypeVar
from uuid import uuid4

from ..design.keeping import Bar, Found
from ..design.screen import Screening
from ..surrogates.errors import AlloyloopError

Client: TypeAlias = Any
"""Dask's, whose types do not say what its methods return."""

Slice = tuple[int, int]
"""A range of indices of the space."""

Question = TypeVar("Question")
Task = TypeVar("Task")
Result = TypeVar("Result")

# What has to be the same everywhere: other versions may answer otherwise in the last digits, or not at all.
SAME_VERSIONS = ("alloyloop", "numpy", "scipy")
# Seconds to wait for a scheduler, and then for its first worker.
PATIENCE = 20
MOST_WORKERS = 1024
# Tasks a worker gets before the bar is raised and the state is saved, and parts that are merged at a time.
TASKS_PER_WORKER = 8
MERGED_AT_A_TIME = 8
# A task takes more slices than one where so many waves are to come: a scheduler hands out a thousand tasks a second.
MANY_WAVES = 32
MOST_SLICES_PER_TASK = 16
# Of worker processes: one thread for matrices, and freed memory kept, which Dask by default gives back to the system at
# once: that halves the speed of arrays of these sizes.
ENVIRONMENT = {
    **dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), 1),
    "MALLOC_TRIM_THRESHOLD_": 2**28,
    "MALLOC_MMAP_THRESHOLD_": 2**25,
}
QUIET = {"distributed.admin.large-graph-warning-threshold": "1GiB"}


class Engine(Protocol):
    """Looks at slices of one screen."""

    def wave(self, n_left: int) -> int:
        """How many slices it wants at a time, of so many that are left."""
        ...

    def find(self, slices: Sequence[Slice], bar: Bar) -> Found:
        """What may be kept of some slices."""
        ...


@dataclass(frozen=True, slots=True)
class OneProcess:
    """This process.

    Parameters
    ----------
    screening : the question
    """

    screening: Screening

    def wave(self, n_left: int) -> int:
        """See `Engine`."""
        return 1

    def find(self, slices: Sequence[Slice], bar: Bar) -> Found:
        """See `Engine`."""
        keeper, found = self.screening.keeper, self.screening.nothing
        for start, stop in slices:
            found = keeper.kept([found, self.screening.find(start, stop, bar.raised(keeper.bar(found)))])
        return found


class Cluster:
    """The workers of a Dask scheduler.

    Parameters
    ----------
    screening : the question
    client : of the scheduler; see `hired`
    """

    def __init__(self, screening: Screening, client: Client) -> None:
        self._client, self._name = client, f"screen-{uuid4().hex}"
        # Without what was computed of the space: that is quicker to compute anew than to send. As a task and not as
        # scattered data, so that it can be had again when the workers that held it are gone.
        question = pickle.dumps(replace(screening, space=replace(screening.space)))
        self._question = client.submit(pickle.loads, question, key=f"{self._name}-question", pure=False)
        self._n_waves = 0

    @property
    def _n_tasks(self) -> int:
        """In a wave."""
        workers = self._client.scheduler_info(n_workers=-1).get("workers", ())
        return TASKS_PER_WORKER * max(1, len(workers))

    def wave(self, n_left: int) -> int:
        """See `Engine`."""
        n_tasks = self._n_tasks
        return n_tasks * min(max(n_left // (MANY_WAVES * n_tasks), 1), MOST_SLICES_PER_TASK)

    def find(self, slices: Sequence[Slice], bar: Bar) -> Found:
        """See `Engine`."""
        self._n_waves += 1
        name = f"{self._name}-{self._n_waves}"
        with _failures_said(self._client):
            refuse_other_versions(self._client)
            size = -(-len(slices) // self._n_tasks)
            parts = [
                self._client.submit(
                    _find, self._question, slices[i : i + size], bar, key=f"{name}-find-{i}", pure=False
                )
                for i in range(0, len(slices), size)
            ]
            while len(parts) > 1:
                name += "-merged"
                parts = [
                    self._client.submit(
                        _merged, self._question, parts[i : i + MERGED_AT_A_TIME], key=f"{name}-{i}", pure=False
                    )
                    for i in range(0, len(parts), MERGED_AT_A_TIME)
                ]
            found: Found = parts[0].result()
        return found


def _find(screening: Screening, slices: Sequence[Slice], bar: Bar) -> Found:
    """Some slices, on a worker."""
    from threadpoolctl import threadpool_limits

    with threadpool_limits(limits=1, user_api="blas"):
        return OneProcess(screening).find(slices, bar)


def _merged(screening: Screening, parts: Sequence[Found]) -> Found:
    """What several slices found, on a worker."""
    return screening.keeper.kept(parts)


def hired(workers: int | None, cluster: str | None) -> AbstractContextManager[Client | None]:
    """Who does tasks for as long as the context lasts; None for this process.

    Parameters
    ----------
    workers : how many processes of this machine
    cluster : address of a Dask scheduler; this process where neither is given

    Raises
    ------
    AlloyloopError
        where both are given, or so many workers cannot be
    """
    if workers is not None and cluster is not None:
        raise AlloyloopError("--workers and --cluster are both given", "Give one: processes here, or a cluster.")
    if workers is not None and not 1 <= workers <= MOST_WORKERS:
        raise AlloyloopError(f"{workers} workers cannot be started", "Give 1 or more, up to the number of cores.")
    if workers is not None:
        return workers_here(workers)
    return nullcontext() if cluster is None else workers_at(cluster)


def each_done(
    client: Client | None, work: Callable[[Question, Task], Result], question: Question, tasks: Sequence[Task]
) -> Iterator[tuple[Task, Result]]:
    """What comes of tasks, as they are done: in their order in this process, in any order by workers.

    Parameters
    ----------
    client : whose workers do them; None for this process
    work : a function of a module, of what all tasks have in common and of one task
    question : what they have in common
    tasks : the others
    """
    if client is None:
        yield from ((task, work(question, task)) for task in tasks)
        return
    name = f"tasks-{uuid4().hex}"
    with _failures_said(client, "one of the runs"):
        refuse_other_versions(client)
        # As a task and not as scattered data, so that it can be had again when the workers that held it are gone.
        shared = client.submit(pickle.loads, pickle.dumps(question), key=f"{name}-question", pure=False)
        asked = {
            client.submit(work, shared, task, key=f"{name}-{i}", priority=-i, pure=False): task
            for i, task in enumerate(tasks)
        }
        for future, result in import_module("distributed").as_completed(asked, with_results=True):
            yield asked[future], result


@contextmanager
def workers_here(n_workers: int) -> Iterator[Client]:
    """Processes of this machine, one thread each, for as long as the context lasts.

    Raises
    ------
    AlloyloopError
        where Dask is not installed
    """
    config, distributed = _dask("--workers")
    settings = {**QUIET, "distributed.nanny.pre-spawn-environ": ENVIRONMENT}
    with (
        _silence(),
        config.set(settings),
        distributed.LocalCluster(
            n_workers=n_workers,
            threads_per_worker=1,
            processes=True,
            dashboard_address=None,
            # Any port: where another backtest has the usual one, it is no matter for the user.
            scheduler_kwargs={"dashboard_address": ":0"},
            memory_limit=0,
            silence_logs=logging.CRITICAL,
        ) as workers,
        distributed.Client(workers) as client,
    ):
        _let_only_us_be_interrupted(client)
        yield client


@contextmanager
def workers_at(address: str) -> Iterator[Client]:
    """The workers of a scheduler that runs somewhere, such as tcp://host:8786.

    Raises
    ------
    AlloyloopError
        where Dask is not installed, nobody answers there, there is no worker, or one has other versions
    """
    config, distributed = _dask("--cluster")
    with _silence(), config.set(QUIET):
        try:
            client = distributed.Client(address, timeout=PATIENCE)
        except (OSError, TimeoutError, ValueError) as error:
            raise AlloyloopError(
                f"No scheduler answers at {address}", "Start one with `dask scheduler`, and name the address it prints."
            ) from error
        with client:
            try:
                client.wait_for_workers(1, timeout=PATIENCE)
            except TimeoutError as error:
                raise AlloyloopError(
                    f"The scheduler at {address} has no workers", f"Start some with `dask worker {address}`."
                ) from error
            refuse_other_versions(client)
            yield client


def refuse_other_versions(client: Client) -> None:
    """See to it that every worker has the versions of this process.

    Raises
    ------
    AlloyloopError
        naming one that has not, and what it has
    """

    def installed(names: tuple[str, ...]) -> dict[str, str]:  # sent as its code: a worker may not have this file
        from importlib.metadata import PackageNotFoundError, version

        found = {}
        for name in names:
            try:
                found[name] = version(name)
            except PackageNotFoundError:
                found[name] = "none"
        return found

    ours = {name: version(name) for name in SAME_VERSIONS}
    for address, theirs in client.run(installed, SAME_VERSIONS, on_error="ignore").items():
        for name, here in ours.items():
            if theirs[name] != here:
                raise AlloyloopError(
                    f"The worker at {address} has {name} {theirs[name]}, and this machine has {here}",
                    f"Install {name}=={here} there.",
                )


@contextmanager
def _failures_said(client: Client, what: str = "one of the slices") -> Iterator[None]:
    """Turn what Dask says of workers and schedulers that are gone into a sentence with a remedy."""
    from distributed import KilledWorker

    try:
        yield
    except KilledWorker as error:
        raise AlloyloopError(
            f"Every worker that looked at {what} died", "Give workers more memory, and go on with --resume."
        ) from error
    except Exception as error:
        if client.status == "running":
            raise
        # What it is then depends on what the client was doing: half a dozen kinds, of which some are RuntimeError.
        raise AlloyloopError(
            "The scheduler of the cluster is gone", "Start it again, and go on with --resume."
        ) from error


def _let_only_us_be_interrupted(client: Client) -> None:
    """A terminal sends Ctrl-C to every process that it started; the workers stop when this one tells them."""
    from distributed import WorkerPlugin

    class IgnoreInterrupts(WorkerPlugin):  # also for a worker that takes the place of one that died
        def setup(self, worker: object) -> None:
            signal.signal(signal.SIGINT, signal.SIG_IGN)

    client.register_plugin(IgnoreInterrupts(), name="ignore-interrupts")


def _dask(option: str) -> tuple[Any, Any]:
    """Dask's settings, and its scheduler of processes."""
    try:
        return import_module("dask.config"), import_module("distributed")
    except ImportError as error:
        raise AlloyloopError(
            f"{option} needs Dask, which is not installed", "Install it with pip install 'alloyloop[cluster]'."
        ) from error


@contextmanager
def _silence() -> Iterator[None]:
    """Dask's own account of what comes and goes is not for the user."""
    logger = logging.getLogger("distributed")
    level, propagate = logger.level, logger.propagate
    logger.setLevel(logging.CRITICAL + 1)
    try:
        yield
    finally:
        logger.setLevel(level)
        logger.propagate = propagate
