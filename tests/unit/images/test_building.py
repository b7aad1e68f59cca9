"""Images are built when what goes into them has changed, and not otherwise."""

import shutil
from collections.abc import Iterable
from pathlib import Path

import pytest

from images import building
from images.content import IMAGES, REPOSITORY, Image
from images.errors import ImageError

RUNNER, OPERATOR = IMAGES


class FakeEngine:
    """Writes archives that name their image, and remembers what it was asked."""

    base = "base"

    def __init__(self) -> None:
        self.built: list[str] = []
        self.prepared = 0
        self.meanwhile: list[Path] = []  # changed during the next builds, one each

    def prepare(self, log: Path) -> None:
        self.prepared += 1

    def build(self, image: Image, name: str, archive: Path, log: Path) -> None:
        self.built.append(name)
        archive.write_text(name)
        if self.meanwhile:
            changed = self.meanwhile.pop()
            changed.write_text(changed.read_text() + "#")

    def clear(self, keep: Iterable[str], log: Path) -> None:
        pass


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A repository with the files that images are made of, and little in them."""
    root = tmp_path / "repository"
    for name in (
        ".dockerignore",
        "pyproject.toml",
        "uv.lock",
        "operator/pyproject.toml",
        "operator/Containerfile",
        "operator/weir/core.py",
        "runner-image/pyproject.toml",
        "runner-image/Containerfile",
        "runner-image/weir_runner/main.py",
        "connectors/pyproject.toml",
        "connectors/weir_connectors/git.py",
        "README.md",
    ):
        file = root / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(name)
    return root


@pytest.mark.parametrize(
    ("changed", "images"),
    [
        ("operator/weir/core.py", {"operator"}),
        ("operator/Containerfile", {"operator"}),
        ("runner-image/Containerfile", {"runner"}),
        ("runner-image/weir_runner/main.py", {"operator", "runner"}),
        ("connectors/weir_connectors/git.py", {"operator", "runner"}),
        ("uv.lock", {"operator", "runner"}),
        ("README.md", set()),
    ],
)
def test_a_change_gives_a_new_tag_to_the_images_that_are_made_of_it(
    repository: Path, changed: str, images: set[str]
) -> None:
    before = {image.role: image.tag("base", repository) for image in IMAGES}
    (repository / changed).write_text("changed")
    after = {image.role: image.tag("base", repository) for image in IMAGES}
    assert {role for role in before if before[role] != after[role]} == images


def test_a_new_file_gives_a_new_tag_and_bytecode_does_not(repository: Path) -> None:
    before = OPERATOR.tag("base", repository)
    cache = repository / "operator" / "weir" / "__pycache__"
    cache.mkdir()
    (cache / "core.cpython-311.pyc").write_text("bytecode")
    assert OPERATOR.tag("base", repository) == before
    (repository / "operator" / "weir" / "new.py").write_text("")
    assert OPERATOR.tag("base", repository) != before


def test_another_base_gives_another_tag(repository: Path) -> None:
    assert RUNNER.tag("one", repository) != RUNNER.tag("other", repository)


def test_a_copy_of_the_tree_has_the_same_tags(repository: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(repository, tmp_path / "clone")
    assert OPERATOR.tag("base", copy) == OPERATOR.tag("base", repository)


def test_an_unchanged_tree_builds_nothing(repository: Path, tmp_path: Path) -> None:
    engine = FakeEngine()
    first = building.build(engine, tmp_path, repository)
    assert len(engine.built) == 2
    assert building.build(engine, tmp_path, repository) == first
    assert len(engine.built) == 2
    assert engine.prepared == 1


def test_the_result_names_images_and_their_archives(repository: Path, tmp_path: Path) -> None:
    built = building.build(FakeEngine(), tmp_path, repository)
    for role in ("runner", "operator"):
        assert Path(built["archives"][role]).read_text() == built[role]
        assert built[role].startswith(f"weir-{role}:")


def test_sources_that_change_while_they_are_built_are_built_again(
    repository: Path, tmp_path: Path
) -> None:
    engine = FakeEngine()
    engine.meanwhile = [repository / "operator/weir/core.py"]
    built = building.build(engine, tmp_path, repository)
    assert built["operator"] == f"weir-operator:{OPERATOR.tag('base', repository)}"
    assert len([name for name in engine.built if "operator" in name]) == 2


def test_a_tree_that_never_rests_is_an_error_in_the_end(repository: Path, tmp_path: Path) -> None:
    engine = FakeEngine()
    engine.meanwhile = [repository / "operator/weir/core.py"] * 100
    with pytest.raises(ImageError, match="run it again"):
        building.build(engine, tmp_path, repository)


def test_what_a_killed_build_left_is_not_taken_for_an_archive(
    repository: Path, tmp_path: Path
) -> None:
    (tmp_path / "archives").mkdir()
    tag = OPERATOR.tag("base", repository)
    (tmp_path / "archives" / f"weir-operator-{tag}.part").write_text("half")
    built = building.build(FakeEngine(), tmp_path, repository)
    assert Path(built["archives"]["operator"]).read_text() == built["operator"]


def test_only_the_last_archives_are_kept(repository: Path, tmp_path: Path) -> None:
    for number in range(4):
        (repository / "operator/weir/core.py").write_text(str(number))
        building.build(FakeEngine(), tmp_path, repository)
    kept = list((tmp_path / "archives").glob("weir-operator-*.tar"))
    assert len(kept) == building.KEPT_ARCHIVES


def test_the_engine_is_sent_what_the_tag_counts() -> None:
    lines = (REPOSITORY / ".dockerignore").read_text().splitlines()
    allowed = {line[1:] for line in lines if line.startswith("!")}
    assert allowed == {"pyproject.toml", "uv.lock", *OPERATOR.folders}
    assert {"**/__pycache__", "**/*.pyc", "**/Containerfile"} <= set(lines)
