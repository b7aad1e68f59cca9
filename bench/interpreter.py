"""The runner's own start: from the start of Python to its first request, in the runner's image."""

from __future__ import annotations

import json
import uuid

from bench.field import Field, bare_pod
from bench.figures import Report, Sample, Verdict
from weir.cluster.kinds import PODS

# Runs in the Pod: starts runners against a server of its own and stops each at its first request.
_PROBE = """
import json, os, signal, socket, ssl, subprocess, sys, time

rounds, command = int(sys.argv[1]), json.loads(sys.argv[2])
for name, text in (('pair', os.environ['PAIR']), ('token', 'a.b.c')):
    open('/tmp/' + name, 'w').write(text)
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain('/tmp/pair')
listener = socket.create_server(('127.0.0.1', 0))
listener.settimeout(30)
runner = {
    **os.environ,
    'WEIR_SERVER': '127.0.0.1:%d' % listener.getsockname()[1],
    'WEIR_SERVER_NAME': 'weir-server', 'WEIR_SERVER_CA': os.environ['CA'],
    'WEIR_TOKEN_FILE': '/tmp/token', 'PYTHONHASHSEED': '0', 'HOME': '/tmp',
}
asked, empty = [], []
for _ in range(rounds + 1):
    began = time.perf_counter()
    process = subprocess.Popen(command, env=runner, stdout=subprocess.DEVNULL)
    plain, _ = listener.accept()
    secure = context.wrap_socket(plain, server_side=True)
    first = secure.recv(65536)
    asked.append(time.perf_counter() - began)
    assert first.startswith(b'POST /runner/v1/assignment'), first[:200]
    process.send_signal(signal.SIGKILL)
    process.wait()
    plain.close()
    secure.close()
    began = time.perf_counter()
    subprocess.run(['python3', '-c', 'pass'], check=True)
    empty.append(time.perf_counter() - began)
print(json.dumps({'asked': asked[1:], 'empty': empty[1:]}))
"""
COMMAND = ["python3", "-P", "-m", "weir_runner"]


async def measure(field: Field, rounds: int) -> Report:
    """Start the runner `rounds` times, a Python that does nothing in turn with it."""
    authority, pair = _certificate()
    name = f"start-{uuid.uuid4().hex[:8]}"
    probe = ["python3", "-c", _PROBE, str(rounds), json.dumps(COMMAND)]
    body = bare_pod(name, field.runner, probe)
    body["spec"]["containers"][0]["env"] = [
        {"name": "PAIR", "value": pair},
        {"name": "CA", "value": authority},
    ]
    await field.no_pods()
    await field.world.cluster.create(PODS, field.world.namespace, body)
    await field.pod_ended(name)
    printed = await field.world.installation.kubectl(
        "logs", f"--namespace={field.world.namespace}", name
    )
    await field.pod_deleted(name)
    seconds = json.loads(printed.splitlines()[-1])
    asked = Sample(
        "runner: Python started -> first request",
        "ms",
        tuple(1e3 * one for one in seconds["asked"]),
    )
    empty = Sample(
        "python3 -c pass, start to end", "ms", tuple(1e3 * one for one in seconds["empty"])
    )
    verdict = Verdict("runner's own Python start", asked.median, "at most", 150, "ms")
    return Report((asked, empty), (verdict,))


def _certificate() -> tuple[str, str]:
    """Return a certificate that stands for itself, and it with its key, both as PEM."""
    import datetime

    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import NameOID

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "weir-server")])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("weir-server")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    public = certificate.public_bytes(serialization.Encoding.PEM).decode()
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    ).decode()
    return public, public + private
