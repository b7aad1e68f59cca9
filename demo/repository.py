"""A small Git repository, served inside the cluster, for the GIT example."""

from __future__ import annotations

from demo.services import Service

_SCRIPT = """
set -eu
git config --global user.name Ada
git config --global user.email ada@example.com
git init --quiet --initial-branch=main /tmp/work
cd /tmp/work
mkdir flows
echo '# A project' > README.md
printf 'def handler(system, this):\\n    this.log("hello")\\n' > flows/hello.py
git add .
git commit --quiet --message='The first commit'
git clone --quiet --bare . /tmp/git/project.git
exec git daemon --reuseaddr --export-all --base-path=/tmp/git --port=9418
"""

FLOWS = ("hello",)
"""What a FlowRepository makes of it."""

REPOSITORY = Service(
    name="git",
    port=9418,
    command=("sh", "-c", _SCRIPT),
    public="https://github.com/octocat/Hello-World.git",
    scheme="git",
    path="/project.git",
)
