"""The bare node's network: one bridge for its Pods, and what the kernel must allow for it.

Only `bare` calls it. Everything is made with the node's own names, and found again by them.
"""

import json
import subprocess
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from tests.cluster.errors import ClusterError

BRIDGE = "weir0"
NODE_ADDRESS = "10.88.0.1"
PODS = "10.88.0.0/16"
CNI_NETWORK = "weir-cluster"
# A bridge otherwise takes the lowest address of its ports, and changes it whenever a Pod comes or
# goes; what others have learned is wrong for a while then.
_BRIDGE_MAC = "0a:58:0a:58:00:01"
_COMMENT = "weir-cluster"
_CNI_RESULTS = Path("/var/lib/cni/results")  # not configurable in containerd 1.6

SYSCTLS = {
    "net.ipv4.ip_forward": "1",
    "net.bridge.bridge-nf-call-iptables": "1",
    # 128 is soon used up by a few dozen Pods, and what then fails names something else.
    "fs.inotify.max_user_instances": "4096",
    "fs.inotify.max_user_watches": "524288",
}
# What kubelet and kube-proxy set by themselves: remembered with ours, and set back with them.
_SET_BY_OTHERS = (
    "kernel.panic",
    "kernel.panic_on_oops",
    "net.ipv4.conf.all.route_localnet",
    "vm.overcommit_memory",
    "vm.panic_on_oom",
    "kernel.keys.root_maxbytes",
    "kernel.keys.root_maxkeys",
)


def cni_config(ipam_folder: Path) -> str:
    """Return the CNI configuration of the Pods' network."""
    bridge = {
        "type": "bridge",
        "bridge": BRIDGE,
        "isGateway": True,
        # One rule of ours for all Pods instead of several calls of iptables for each.
        "ipMasq": False,
        "hairpinMode": True,  # a Pod may reach itself through its Service
        "ipam": {
            "type": "host-local",
            "dataDir": str(ipam_folder),
            "ranges": [[{"subnet": PODS, "gateway": NODE_ADDRESS}]],
            "routes": [{"dst": "0.0.0.0/0"}],
        },
    }
    return json.dumps({"cniVersion": "0.4.0", "name": CNI_NETWORK, "plugins": [bridge]})


def up(remembered: Path) -> None:
    """Make the bridge and its rules; what the kernel allowed before is written to `remembered`."""
    if not remembered.exists():
        names = (*SYSCTLS, *_SET_BY_OTHERS)
        before = {name: value for name in names if (value := _sysctl(name)) is not None}
        remembered.parent.mkdir(parents=True, exist_ok=True)
        remembered.write_text(json.dumps(before, indent=2))
    for name, value in SYSCTLS.items():
        _set_sysctl(name, value)
    if not Path(f"/sys/class/net/{BRIDGE}").exists():
        _run("ip", "link", "add", BRIDGE, "address", _BRIDGE_MAC, "type", "bridge")
    _run("ip", "address", "replace", f"{NODE_ADDRESS}/16", "dev", BRIDGE)
    _run("ip", "link", "set", BRIDGE, "up")
    _remove_rules(_is_own)
    comment = ("-m", "comment", "--comment", _COMMENT)
    # First in line: a machine with Docker drops what it does not know of.
    _run("iptables", "-w", "-I", "FORWARD", "-s", PODS, *comment, "-j", "ACCEPT")
    _run("iptables", "-w", "-I", "FORWARD", "-d", PODS, *comment, "-j", "ACCEPT")
    masquerade = ("-s", PODS, "!", "-d", PODS, *comment, "-j", "MASQUERADE")
    _run("iptables", "-w", "-t", "nat", "-A", "POSTROUTING", *masquerade)


def down(remembered: Path, run: Path) -> None:
    """Remove the bridge with all that is plugged in, every rule, and set the kernel back.

    `run` is the folder of the Pods' network namespaces.
    """
    if Path(f"/sys/class/net/{BRIDGE}").exists():
        for plugged in Path(f"/sys/class/net/{BRIDGE}/brif").iterdir():
            # The other end may be gone, or go right now with its Pod.
            subprocess.run(["ip", "link", "delete", plugged.name], capture_output=True, check=False)
        _run("ip", "link", "delete", BRIDGE)
    _remove_rules(lambda rule: _is_own(rule) or _is_of_kubernetes(rule))
    for result in _CNI_RESULTS.glob("*"):
        if str(run) in result.read_text():  # where the namespace was that it speaks of
            result.unlink(missing_ok=True)
    for folder in (_CNI_RESULTS, _CNI_RESULTS.parent):
        with suppress(OSError):  # somebody else's, or not there
            folder.rmdir()
    if remembered.exists():
        for name, value in json.loads(remembered.read_text()).items():
            _set_sysctl(name, value)
        remembered.unlink()


def is_present() -> bool:
    """Tell whether the bridge exists."""
    return Path(f"/sys/class/net/{BRIDGE}").exists()


def _is_own(line: str) -> bool:
    return f"--comment {_COMMENT} " in line


def _is_of_kubernetes(line: str) -> bool:
    """Whether kubelet or kube-proxy made this; a machine has one of each."""
    return "KUBE-" in line


def _remove_rules(unwanted: Callable[[str], bool]) -> None:
    """Remove the unwanted rules and chains, one transaction for each table."""
    for family in ("iptables", "ip6tables"):
        table = ""
        orders: list[str] = []
        saved = subprocess.run([f"{family}-save"], capture_output=True, text=True, check=False)
        for line in saved.stdout.splitlines():
            if line.startswith("*"):
                table, chains, rules = line, [], []
            elif line.startswith(":") and unwanted(line):
                chains.append(line[1:].split()[0])
            elif line.startswith("-A ") and unwanted(line) and line.split()[1] not in chains:
                rules.append(f"-D {line[3:]}")
            elif line == "COMMIT" and (chains or rules):
                flushed = [f":{chain} - [0:0]" for chain in chains]
                deleted = [f"-X {chain}" for chain in chains]
                orders += [table, *flushed, *rules, *deleted, "COMMIT"]
        if orders:
            _run(f"{family}-restore", "--wait", "--noflush", stdin="\n".join(orders) + "\n")


def _sysctl(name: str) -> str | None:
    try:
        return _sysctl_file(name).read_text().strip()
    except OSError:
        return None


def _set_sysctl(name: str, value: str) -> None:
    try:
        _sysctl_file(name).write_text(value)
    except FileNotFoundError as error:
        raise ClusterError(f"this kernel has no {name}: {_hint(name)}") from error
    except OSError as error:
        raise ClusterError(f"cannot set {name} to {value}: {error.strerror}") from error


def _sysctl_file(name: str) -> Path:
    return Path("/proc/sys", *name.split("."))


def _hint(name: str) -> str:
    return "try `modprobe br_netfilter`" if "bridge" in name else "the bare cluster needs it"


def _run(*command: str, stdin: str | None = None) -> None:
    done = subprocess.run(command, input=stdin, capture_output=True, text=True, check=False)
    if done.returncode:
        raise ClusterError(f"`{' '.join(command)}` failed: {done.stderr.strip()}")
