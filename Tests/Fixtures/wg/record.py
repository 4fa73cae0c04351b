#!/usr/bin/env python3
"""Records what Debian's `wg` (wireguard-tools 1.0.20210914) prints for the UAPI answers in answers/, as transcripts.

A socket in /var/run/wireguard plays the daemon, so root is needed; no interface is made. `{ago:N}` in an answer stands for
the time N seconds before the recording. Run it here; it writes NAME.txt for each answers/NAME.
"""
import os, pathlib, re, socket, subprocess, threading, time

FIELDS = """public-key private-key listen-port fwmark peers preshared-keys endpoints allowed-ips latest-handshakes
transfer persistent-keepalive dump""".split()
INTERFACE = "tx-fixture"
SOCKET = f"/var/run/wireguard/{INTERFACE}.sock"


def serve(listener, answer):
    while True:
        try:
            connection, _ = listener.accept()
        except OSError:
            return
        with connection:
            if connection.recv(64):
                connection.sendall(answer.encode())


def run(command, **environment):
    return subprocess.run(command, env=os.environ | environment, capture_output=True, text=True, check=True).stdout


def record(name, template):
    while True:
        now = int(time.time())
        answer = re.sub(r"\{ago:(-?\d+)\}", lambda match: str(now - int(match[1])), template)
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(SOCKET)
        listener.listen()
        threading.Thread(target=serve, args=(listener, answer), daemon=True).start()
        sections = [("now", f"{now}\n"), ("get", answer)]
        show = ["wg", "show", INTERFACE]
        sections.append(("show", run(show)))
        sections.append(("show with keys", run(show, WG_HIDE_KEYS="never")))
        sections.append(("show with color", run(show, WG_COLOR_MODE="always")))
        sections.append(("showconf", run(["wg", "showconf", INTERFACE])))
        for field in FIELDS:
            sections.append((field, run(show + [field])))
            lines = run(["wg", "show", "all", field]).splitlines(keepends=True)
            sections.append((f"all {field}", "".join(line for line in lines if line.startswith(INTERFACE + "\t"))))
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        os.unlink(SOCKET)
        if int(time.time()) == now:
            break
    ended = [(title, text if text.endswith("\n") or not text else text + "\n") for title, text in sections]
    pathlib.Path(f"{name}.txt").write_text("".join(f"=== {title}\n{text}" for title, text in ended))


for path in sorted(pathlib.Path("answers").iterdir()):
    record(path.name, path.read_text())
