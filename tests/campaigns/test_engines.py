"""Screens by Dask: in this process's own workers, and by `dask scheduler` and workers started as real processes."""

from __future__ import annotations

import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest

from alloyloop.campaigns import engines, screening
from alloyloop.campaigns.campaign import Campaign
from alloyloop.campaigns.engines import refuse_other_versions
from alloyloop.campaigns.screening import StoppedError
from alloyloop.surrogates.errors import AlloyloopError

from .folders import alloyloop, make
from .test_screening import QUESTION, experiments

pytestmark = pytest.mark.torch

ASKED: dict[str, Any] = {"top": 20, "stages": ("P(all) >= 0.3",)}


@pytest.fixture(scope="module")
def campaign(tmp_path_factory: pytest.TempPathFactory) -> Campaign:
    return Campaign(make(tmp_path_factory.mktemp("campaigns") / "soft", QUESTION, experiments()))


@pytest.fixture(autouse=True)
def small_slices() -> Iterator[None]:
    """Slices of a few hundred designs and short waves, so that a screen of seven thousand has a middle."""
    with patch.multiple(screening, SLICE=200, SLICE_OF_SLOW=200), patch.object(engines, "TASKS_PER_WORKER", 4):
        yield


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def dask_processes(n_workers: int, scratch: Path) -> Iterator[tuple[str, list[subprocess.Popen[bytes]]]]:
    """The address of `dask scheduler`, and the processes: the scheduler, then `dask worker`s of it."""
    port = free_port()
    address = f"tcp://127.0.0.1:{port}"

    def start(*words: str) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "dask", *words, "--no-dashboard"]
        return subprocess.Popen(command, cwd=scratch, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    processes = [start("scheduler", "--host", "127.0.0.1", "--port", str(port))]
    try:
        processes += [start("worker", address, "--nthreads", "1", "--no-nanny") for _ in range(n_workers)]
        yield address, processes
    finally:
        for process in processes:
            process.kill()
            process.wait()


def test_without_dask_the_options_say_what_to_install(campaign: Campaign, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    for options in (["--workers", "2"], ["--cluster", "tcp://127.0.0.1:8786"]):
        told = alloyloop("screen", campaign.folder.path, *options)
        assert told.code == 1
        assert f"{options[0]} needs Dask, which is not installed" in told.err
        assert "pip install 'alloyloop[cluster]'" in told.err
    assert alloyloop("screen", campaign.folder.path, "--top", "1").code == 0


def test_where_no_scheduler_answers_it_is_said(campaign: Campaign) -> None:
    with patch.object(engines, "PATIENCE", 1):
        told = alloyloop("screen", campaign.folder.path, "--cluster", f"tcp://127.0.0.1:{free_port()}")
    assert told.code == 1
    assert told.err.startswith("alloyloop: No scheduler answers at tcp://127.0.0.1:")
    assert len(told.err.splitlines()) == 1


class TwoWorkers:
    """What a client says of two workers, of which one has another numpy."""

    def run(self, function: Callable[..., dict[str, str]], names: tuple[str, ...], **options: object) -> dict[str, Any]:
        ours = function(names)
        return {"tcp://a:1": ours, "tcp://b:2": {**ours, "numpy": "1.26.0"}}


def test_a_worker_of_another_version_is_refused_by_name() -> None:
    with pytest.raises(AlloyloopError, match=r"The worker at tcp://b:2 has numpy 1\.26\.0, and this machine has 2\."):
        refuse_other_versions(TwoWorkers())


@pytest.mark.slow
def test_processes_of_this_machine_answer_as_one_process_does_and_quietly(
    campaign: Campaign, capfd: pytest.CaptureFixture[str]
) -> None:
    assert campaign.screen(**ASKED, workers=2).json() == campaign.screen(**ASKED).json()
    assert capfd.readouterr().err == ""


@pytest.mark.slow
def test_a_lost_worker_costs_its_slices_and_not_the_run(campaign: Campaign, tmp_path: Path) -> None:
    whole = campaign.screen(**ASKED).json()
    with dask_processes(2, tmp_path) as (address, (_, *workers)):
        looked: list[int] = []

        def kill_one(n: int, of: int) -> None:
            looked.append(n)
            if n > 0.3 * of and workers[0].poll() is None:
                workers[0].kill()  # its share of the question, of results and of what it works on next is gone

        assert campaign.screen(**ASKED, cluster=address, progress=kill_one).json() == whole
        assert workers[0].wait(10) < 0
        assert workers[1].poll() is None
        assert sum(n < whole["count"] for n in looked) > 0


@pytest.mark.slow
def test_a_screen_stopped_on_a_cluster_goes_on_in_one_process(campaign: Campaign, tmp_path: Path) -> None:
    whole = campaign.screen(**ASKED).json()

    def stop(n: int, of: int) -> None:
        if n > 0.3 * of:
            raise KeyboardInterrupt

    with dask_processes(1, tmp_path) as (address, _), pytest.raises(StoppedError):
        campaign.screen(**ASKED, cluster=address, progress=stop)
    assert campaign.screen(**ASKED, resume=True).json() == whole


@pytest.mark.slow
def test_a_scheduler_that_goes_away_is_said_and_what_was_found_is_kept(campaign: Campaign, tmp_path: Path) -> None:
    whole = campaign.screen(**ASKED).json()
    with dask_processes(1, tmp_path) as (address, processes), patch.object(engines, "PATIENCE", 5):

        def kill_it(n: int, of: int) -> None:
            if n > 0.3 * of:
                processes[0].kill()

        with pytest.raises(AlloyloopError, match=r"The scheduler of the cluster is gone\. .* --resume"):
            campaign.screen(**ASKED, cluster=address, progress=kill_it)
    assert campaign.screen(**ASKED, resume=True).json() == whole
