"""Namespaces joined by veth pairs with a daemon in each: what is measured, set up and taken down."""

import ipaddress
import itertools
import json
import os
import shlex
import signal
import subprocess
import tempfile
import time

NODES = {"pair": ["a", "b"], "transit": ["a", "m", "b"]}
HOST = {"a": 1, "m": 2, "b": 3}
INNER = {4: ipaddress.ip_network("10.98.0.0/24"), 6: ipaddress.ip_network("fd98::/64")}
OUTER = {4: ipaddress.ip_network("10.99.0.0/16"), 6: ipaddress.ip_network("fd99::/48")}
SOCKETS = "/var/run/wireguard"
TICKS = os.sysconf("SC_CLK_TCK")


def run(*command, **options):
    """The output of a command that must succeed."""
    result = subprocess.run(command, capture_output=True, text=True, **options)
    if result.returncode:
        raise RuntimeError(f"{shlex.join(command)}: {(result.stderr or result.stdout).strip()}")
    return result.stdout


class Network:
    """Namespaces joined by veth pairs, one daemon in each; gone when the block ends."""

    def __init__(self, command, topology, inner=4, outer=4):
        self.command = command
        self.nodes = NODES[topology]
        self.inner = inner
        self.outer = outer
        self.daemons = {}

    def address(self, node):
        """The address of a node inside the tunnel."""
        return str(INNER[self.inner][HOST[node]])

    def underlay(self, number, host):
        """The address of an end of link `number`, with its prefix length."""
        link = list(itertools.islice(OUTER[self.outer].subnets(new_prefix={4: 24, 6: 64}[self.outer]), number + 1))[-1]
        return ipaddress.ip_interface((link[host], link.prefixlen))

    def endpoint(self, node, other):
        """Where `node` reaches its neighbour `other`."""
        left, right = self.nodes.index(node), self.nodes.index(other)
        address = self.underlay(max(left, right), 1 if right < left else 2).ip
        return f"[{address}]:51820" if self.outer == 6 else f"{address}:51820"

    def neighbours(self, node):
        index = self.nodes.index(node)
        return [self.nodes[other] for other in (index - 1, index + 1) if 0 <= other < len(self.nodes)]

    def namespace(self, node):
        return f"bench{os.getpid()}-{node}"

    def interface(self, node):
        return f"bench{os.getpid()}{node}"

    def within(self, node, *command):
        return ["ip", "netns", "exec", self.namespace(node), *command]

    def __enter__(self):
        try:
            for node in self.nodes:
                run("ip", "netns", "add", self.namespace(node))
                run(*self.within(node, "ip", "link", "set", "lo", "up"))
            for number, (left, right) in enumerate(zip(self.nodes, self.nodes[1:]), 1):
                self.join(left, right, number)
            keys = {node: run("wg", "genkey").strip() for node in self.nodes}
            public = {node: run("wg", "pubkey", input=key).strip() for node, key in keys.items()}
            for node in self.nodes:
                self.bring_up(node, keys[node], public)
            self.await_reply()
            return self
        except BaseException:
            self.__exit__()
            raise

    def join(self, left, right, number):
        run("ip", "link", "add", f"to-{right}", "netns", self.namespace(left), "type", "veth",
            "peer", "name", f"to-{left}", "netns", self.namespace(right))
        for node, other, host in ((left, right, 1), (right, left, 2)):
            run(*self.within(node, "ip", "address", "add", str(self.underlay(number, host)),
                             "dev", f"to-{other}", *(["nodad"] if self.outer == 6 else [])))
            run(*self.within(node, "ip", "link", "set", f"to-{other}", "up"))

    def bring_up(self, node, key, public):
        self.start(node, self.command.replace("{if}", self.interface(node)))
        lines = ["[Interface]", f"PrivateKey = {key}", "ListenPort = 51820"]
        for other in self.neighbours(node):
            # An end reaches everything through its only peer; the middle knows who owns what.
            allowed = self.address(other) if node == "m" else INNER[self.inner]
            lines += ["[Peer]", f"PublicKey = {public[other]}", f"Endpoint = {self.endpoint(node, other)}",
                      f"AllowedIPs = {allowed}"]
        interface = self.interface(node)
        run(*self.within(node, "wg", "setconf", interface, "/dev/stdin"), input="\n".join(lines) + "\n")
        address = f"{self.address(node)}/{INNER[self.inner].prefixlen}"
        run(*self.within(node, "ip", "address", "add", address, "dev", interface))
        run(*self.within(node, "ip", "link", "set", interface, "mtu", "1420", "up"))
        if node == "m":  # for daemons that leave forwarding to the kernel
            forwarding = {4: "ipv4/ip_forward", 6: "ipv6/conf/all/forwarding"}[self.inner]
            run(*self.within(node, "sh", "-c", f"echo 1 >/proc/sys/net/{forwarding}"))

    def start(self, node, command):
        self.daemons[node] = subprocess.Popen(self.within(node, *shlex.split(command)), stdin=subprocess.DEVNULL,
                                              stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        deadline = time.monotonic() + 10
        while not os.path.exists(f"{SOCKETS}/{self.interface(node)}.sock"):
            if self.daemons[node].poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"{command} did not come up")
            time.sleep(0.02)

    def await_reply(self):
        deadline = time.monotonic() + 15
        ping = self.within("a", "ping", "-q", "-c", "1", "-W", "1", self.address("b"))
        while subprocess.run(ping, capture_output=True).returncode:
            if time.monotonic() > deadline:
                raise RuntimeError("b does not answer")
            time.sleep(0.05)

    def cpu_seconds(self, node):
        with open(f"/proc/{self.daemons[node].pid}/stat") as stat:
            fields = stat.read().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / TICKS

    def peak_memory(self):
        """The largest resident set of a daemon so far, in MB."""
        peaks = []
        for daemon in self.daemons.values():
            with open(f"/proc/{daemon.pid}/status") as status:
                peaks += [int(line.split()[1]) for line in status if line.startswith("VmHWM")]
        return max(peaks) / 1024

    def __exit__(self, *_):
        for daemon in self.daemons.values():
            daemon.send_signal(signal.SIGTERM)
        for daemon in self.daemons.values():
            try:
                daemon.wait(3)
            except subprocess.TimeoutExpired:
                daemon.kill()
                daemon.wait()
        for node in self.nodes:
            subprocess.run(["ip", "netns", "delete", self.namespace(node)], capture_output=True)
            try:
                os.unlink(f"{SOCKETS}/{self.interface(node)}.sock")
            except FileNotFoundError:
                pass


class Mesh(Network):
    """The same nodes under `meshd up`: what they know of each other they learn from Babel."""

    PEERS = 16
    PREFIXES = 10_000

    def __enter__(self):
        self.directory = tempfile.TemporaryDirectory()
        return super().__enter__()

    def bring_up(self, node, key, public):
        prefix_length = INNER[self.inner].max_prefixlen
        lines = ["[Interface]", f"PrivateKey = {key}", "ListenPort = 51820", "Babel = on", "MTU = 1420",
                 f"Address = {self.address(node)}/{prefix_length}"]
        lines += [f"Announce = {prefix}" for prefix in self.announced(node)]
        for other in self.neighbours(node):
            lines += ["[Peer]", f"PublicKey = {public[other]}", f"Endpoint = {self.endpoint(node, other)}",
                      f"MaxPrefixes = {self.PREFIXES + self.PEERS}"]
        for _ in range(self.PEERS - len(self.neighbours(node))):
            stranger = run("wg", "pubkey", input=run("wg", "genkey"))
            lines += ["[Peer]", f"PublicKey = {stranger.strip()}"]
        file = f"{self.directory.name}/{self.interface(node)}.conf"
        with open(file, "w") as configuration:
            configuration.write("\n".join(lines) + "\n")
        self.start(node, f"{self.command} up -f --state-dir {self.directory.name} {file}")

    def announced(self, node):
        """Half of the prefixes are behind each end, and half of those are IPv6."""
        if node == "m":
            return []
        first = 0 if node == "a" else self.PREFIXES // 4
        numbers = range(first, first + self.PREFIXES // 4)
        return [f"10.{128 + number // 256}.{number % 256}.0/24" for number in numbers] + [
            f"fd98:1:{number:x}::/64" for number in numbers]

    def await_reply(self):
        super().await_reply()
        deadline = time.monotonic() + 60
        while any(self.prefix_count(node) < self.PREFIXES for node in self.nodes):
            if time.monotonic() > deadline:
                raise RuntimeError("not all prefixes arrive")
            time.sleep(0.2)

    def prefix_count(self, node):
        return sum(len(json.loads(run(self.command, verb, self.interface(node), "--json")))
                   for verb in ("routes", "xroutes"))

    def __exit__(self, *error):
        super().__exit__(*error)
        self.directory.cleanup()
