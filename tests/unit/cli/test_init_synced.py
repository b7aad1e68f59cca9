from pathlib import Path

import yaml

from weir.api.repository import FlowRepository
from weir.cli.init import Plan, init
from weir.core.sources import SourceFile
from weir.core.syncing import read


def test_a_repository_of_weir_init_is_taken_whole(tmp_path: Path) -> None:
    init(Plan(tmp_path), output="name")
    body = yaml.safe_load((tmp_path / "repository.yaml").read_text())
    repository = FlowRepository.model_validate(body)
    files = [
        SourceFile(str(path.relative_to(tmp_path)), path.read_bytes())
        for path in tmp_path.rglob("*")
        if path.is_file()
    ]
    found = read(files, repository.spec, namespace="demo", repository="team")
    assert found.rejected == []
    assert [(one.kind, one.name) for one in found.desired] == [("Flow", "hello")]
