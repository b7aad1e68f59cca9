"""Third-party modules, installed by the real uv from a folder of wheels."""

from __future__ import annotations

import importlib
import os
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.wheels import wheel
from weir_runner import requirements
from weir_runner.requirements import NotInstalled, provide


@pytest.fixture
def wheels(tmp_path: Path) -> Path:
    folder = tmp_path / "wheels"
    folder.mkdir()
    return folder


@pytest.fixture
def environment(wheels: Path, tmp_path: Path) -> dict[str, str]:
    return {
        **{name: value for name, value in os.environ.items() if not name.startswith("UV_")},
        "UV_FIND_LINKS": str(wheels),
        "WEIR_PACKAGES_OFFLINE": "1",
        "HOME": str(tmp_path),
    }


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    folder = tmp_path / "cache"
    folder.mkdir()
    return folder


@pytest.fixture(autouse=True)
def _imports(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(sys, "path", [*sys.path])
    monkeypatch.setenv("PYTHONPATH", "")
    yield
    for name in [name for name in sys.modules if name.startswith("weir_sample")]:
        del sys.modules[name]


def test_a_module_is_installed_with_what_it_needs_and_found_again(
    wheels: Path, environment: dict[str, str], cache: Path
) -> None:
    wheel(wheels, "weir-sample", "1.5", needs="weir-sample-below")
    wheel(wheels, "weir-sample-below", "2.0")
    log: list[str] = []
    folder = provide(["weir-sample>=1"], log.append, cache=cache, environment=environment)
    assert importlib.import_module("weir_sample").VERSION == "1.5"
    assert log == [
        "Installing weir-sample>=1",
        "Modules: weir-sample-below==2.0, weir-sample==1.5",
    ]
    # What was resolved stays, whatever is published meanwhile.
    wheel(wheels, "weir-sample", "1.6")
    log.clear()
    again = provide(["weir-sample>=1"], log.append, cache=cache, environment=environment)
    assert again == folder
    assert log == ["Modules: weir-sample-below==2.0, weir-sample==1.5"]
    assert str(folder) in os.environ["PYTHONPATH"]


def test_what_is_nowhere_to_be_had_is_said_with_uvs_own_words(
    environment: dict[str, str], cache: Path
) -> None:
    with pytest.raises(NotInstalled, match="weir-sample was not found") as raised:
        provide(["weir-sample"], print, cache=cache, environment=environment)
    assert "weir-sample" in raised.value.output
    assert [path.name for path in (cache / "environments").iterdir() if path.is_dir()] == []


def test_credentials_of_an_index_stay_out_of_the_log(
    environment: dict[str, str], cache: Path
) -> None:
    index = {"UV_DEFAULT_INDEX": "https://user:secret@127.0.0.1:1/simple", "UV_HTTP_RETRIES": "0"}
    online = {**environment, **index}
    del online["WEIR_PACKAGES_OFFLINE"]
    with pytest.raises(NotInstalled) as raised:
        provide(["weir-sample"], print, cache=cache, environment=online)
    assert "secret" not in f"{raised.value}{raised.value.output}"


def test_an_image_without_uv_is_named(environment: dict[str, str], cache: Path) -> None:
    with pytest.raises(NotInstalled, match="built on Weir's runner image"):
        provide(["weir-sample"], print, cache=cache, environment={**environment, "PATH": "/no"})


def test_runs_that_want_the_same_install_it_once(
    wheels: Path, environment: dict[str, str], cache: Path
) -> None:
    wheel(wheels, "weir-sample", "1.5")
    log: list[str] = []

    def work() -> None:
        provide(["weir-sample"], log.append, cache=cache, environment=environment)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert log.count("Installing weir-sample") == 1
    assert log.count("Modules: weir-sample==1.5") == 4


def test_what_no_run_has_used_for_long_makes_room(
    wheels: Path, environment: dict[str, str], cache: Path
) -> None:
    wheel(wheels, "weir-sample", "1.5")
    wheel(wheels, "weir-sample-other", "1.0")
    old = provide(["weir-sample"], print, cache=cache, environment=environment)
    long_ago = (old / ".complete").stat().st_mtime - requirements.UNUSED_SECONDS - 60
    os.utime(old / ".complete", (long_ago, long_ago))
    provide(["weir-sample-other"], print, cache=cache, environment=environment)
    assert not old.exists()


def test_other_sources_and_other_pythons_have_environments_of_their_own() -> None:
    keys = {
        requirements.key(["a", "b"], {}),
        requirements.key(["a"], {}),
        requirements.key(["a", "b"], {"UV_DEFAULT_INDEX": "https://other"}),
    }
    assert len(keys) == 3
    assert requirements.key(["b", "a"], {"HOME": "/x"}) == requirements.key(["a", "b"], {})
