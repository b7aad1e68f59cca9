"""A Git host on this machine: https by Git's own http-backend, ssh by OpenSSH, and a hook that
tells of pushes as GitHub does.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.cluster.certificates import Authority, write_pair
from tests.integration.connectors.git_repository import Repository
from tests.integration.connectors.http_server import PASSWORD, USER, HttpServer
from tests.integration.connectors.ssh_server import SshServer, started

BRANCH = "main"

# Git runs it once a push is done, and the client waits for it.
_HOOK = """\
#!/usr/bin/python3
import hashlib, hmac, http.client, json, ssl, sys

context = ssl.create_default_context(cafile={authority!r})
context.check_hostname = False  # the address is that of a Pod
for line in sys.stdin:
    before, after, ref = line.split()
    body = json.dumps({{"ref": ref, "before": before, "after": after,
                       "repository": {{"default_branch": {branch!r}}}}}).encode()
    signature = hmac.new({secret!r}.encode(), body, hashlib.sha256).hexdigest()
    client = http.client.HTTPSConnection({address!r}, timeout=20, context=context)
    headers = {{"X-GitHub-Event": "push", "X-Hub-Signature-256": f"sha256={{signature}}",
               "Content-Type": "application/json"}}
    client.request("POST", {path!r}, body, headers)
    print(f"notice of {{ref}}:", client.getresponse().status)
"""


@dataclass
class GitHost:
    """One repository, `flows.git`, and how to get at it."""

    folder: Path
    http: HttpServer
    ssh: SshServer
    authority: str  # as PEM
    work: Repository = field(init=False)

    def __post_init__(self) -> None:
        self.work = Repository(self.folder / "work", BRANCH)
        self.work.commit("First", {"README.md": "Flows\n"})
        self.work.serve(self.folder, self._bare.name)
        self.work.git("remote", "add", "origin", str(self._bare))
        self.set("http.receivepack", "true")
        self.set("core.sharedRepository", "0777")
        self._share()

    @property
    def _bare(self) -> Path:
        return self.folder / "flows.git"

    @property
    def https_url(self) -> str:
        """Its address for USER with PASSWORD."""
        return f"{self.http.url}/private/{self._bare.name}"

    @property
    def ssh_url(self) -> str:
        """Its address for the owner of the key."""
        return self.ssh.url(self._bare, user=self.ssh.user)

    @property
    def login(self) -> dict[str, str]:
        """The Secret of https."""
        return {"username": USER, "password": PASSWORD, "ca.crt": self.authority}

    @property
    def key(self) -> dict[str, str]:
        """The Secret of ssh."""
        return {"identity": self.ssh.key, "known_hosts": self.ssh.host_line}

    def set(self, name: str, value: str) -> None:
        """Set an option of the repository."""
        self.work.git("-C", str(self._bare), "config", name, value)

    def push(
        self, message: str = "Change", /, *, gone: tuple[str, ...] = (), **files: str | bytes
    ) -> str:
        """Commit files (`a__b_py` is a/b.py) to the branch, push them, and return the SHA."""
        for name in gone:
            (self.work.path / name).unlink()
        sha = self.work.commit(message, {path_of(name): text for name, text in files.items()})
        self.work.git("push", "--quiet", "--force", "origin", BRANCH)
        self._share()
        return sha

    def pull(self) -> None:
        """Get what others have pushed."""
        self.work.git("fetch", "--quiet", "origin")
        self.work.git("reset", "--quiet", "--hard", f"origin/{BRANCH}")

    def shown(self, branch: str, what: str) -> str:
        """Return a file, as PATH, or a part of the newest commit, as a format, of a branch."""
        bare = ("-C", str(self._bare))
        if what.startswith("%"):
            return self.work.git(*bare, "log", "-1", f"--format={what}", branch)
        return self.work.git(*bare, "show", f"{branch}:{what}")

    def tell(self, address: str, path: str, *, secret: str, authority: Path) -> None:
        """Tell of each push from now on: POST to a path at an address with port."""
        hook = self._bare / "hooks" / "post-receive"
        values = {"address": address, "path": path, "secret": secret, "authority": str(authority)}
        hook.parent.mkdir(exist_ok=True)
        hook.write_text(_HOOK.format(branch=BRANCH, **values))
        hook.chmod(0o755)

    def _share(self) -> None:
        # The user of ssh is another one than ours.
        for path in (self._bare, *self._bare.rglob("*")):
            path.chmod(0o777 if path.is_dir() or path.parent.name == "hooks" else 0o666)


def path_of(name: str) -> str:
    """Return the path that an argument's name stands for: `a__b_py` is a/b.py."""
    stem, _, ending = name.replace("__", "/").rpartition("_")
    return f"{stem}.{ending}"


@contextmanager
def hosting(address: str) -> Iterator[GitHost]:
    """Serve a repository at an address of this machine, which is the cluster's node."""
    folder = Path(tempfile.mkdtemp(prefix="weir-git-"))
    try:
        folder.chmod(0o755)
        authority = Authority(folder, "git-ca")
        certificate = write_pair(authority.issue("git", hosts=[address]), folder, "git")
        with ExitStack() as stack:
            http = stack.enter_context(HttpServer(folder, certificate, address))
            ssh = stack.enter_context(started(address))
            yield GitHost(folder, http, ssh, authority.certificate_file.read_text())
    finally:
        shutil.rmtree(folder)
