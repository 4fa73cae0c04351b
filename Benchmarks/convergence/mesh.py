"""Namespaces with a meshd or a stock neighbour in each, links that can be cut, and what is to be seen of them."""

import ctypes
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time

sys.path.append(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "throughput"))
from network import SOCKETS, run  # noqa: E402

LIBC = ctypes.CDLL(None, use_errno=True)
CLONE_NEWNET = 0x40000000


def wait_for(condition, seconds, what, pause=0.005):
    """Returns when the condition holds, with the time of that."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise RuntimeError(f"{what}: not within {seconds} s")
        time.sleep(pause)
    return time.monotonic()


class Mesh:
    """Some nodes and the links between them; gone when the block ends.

    Node number n, from 1, has the overlay addresses 10.97.0.n and fd97::n. A link named in `emulated` goes through the
    link emulator and can be cut; the others are veth pairs. `routers` forward outside and have no meshd: with several of
    them between two nodes there are as many ways from one to the other.
    """

    # The ends of the logs of the network that ended last.
    last_words = []

    def __init__(self, options, nodes, links, emulated=(), routers=""):
        self.meshd, self.emulator = options.meshd, options.emulator
        self.tag = f"cv{os.getpid()}"
        self.nodes, self.links, self.emulated = list(nodes), list(links), set(emulated)
        self.routers = list(routers)
        self.processes, self.namespaces = {}, []

    def address(self, node):
        return f"10.97.0.{self.nodes.index(node) + 1}"

    def interface(self, node):
        return f"{self.tag}{node}"

    def namespace(self, node):
        return f"{self.tag}-{node}"

    def within(self, node, *command):
        return ["ip", "netns", "exec", self.namespace(node), *command]

    def underlay(self, node, other):
        number = next(i for i, link in enumerate(self.links, 1) if set(link) == {node, other})
        return f"10.96.{number}.{1 if self.links[number - 1][0] == node else 2}"

    def __enter__(self):
        self.directory = tempfile.TemporaryDirectory()
        try:
            self.private = {node: run("wg", "genkey").strip() for node in self.nodes}
            self.public = {node: run("wg", "pubkey", input=key).strip() for node, key in self.private.items()}
            for node in self.nodes + self.routers:
                self.add_namespace(node)
            for link in self.links:
                self.lay(*link)
            for router in self.routers:
                self.route_by(router)
            return self
        except BaseException:
            self.__exit__()
            raise

    def add_namespace(self, name):
        run("ip", "netns", "add", self.namespace(name))
        self.namespaces.append(self.namespace(name))
        run(*self.within(name, "ip", "link", "set", "lo", "up"))

    def lay(self, left, right):
        if left + right in self.emulated:
            middle, path = f"link{left}{right}", self.emulator_socket(left, right)
            self.add_namespace(middle)
            self.start(middle, self.emulator, "run", path, "a", "b")
            wait_for(lambda: os.path.exists(path), 5, "the link emulator")
            for end, node, other in (("a", left, right), ("b", right, left)):
                run("ip", "-n", self.namespace(middle), "link", "set", "dev", end, "netns", self.namespace(node),
                    "name", f"to-{other}")
        else:
            run("ip", "link", "add", f"to-{right}", "netns", self.namespace(left), "type", "veth",
                "peer", "name", f"to-{left}", "netns", self.namespace(right))
        for node, other in ((left, right), (right, left)):
            run(*self.within(node, "ip", "address", "add", f"{self.underlay(node, other)}/24", "dev", f"to-{other}"))
            run(*self.within(node, "ip", "link", "set", f"to-{other}", "up"))

    def route_by(self, router):
        """Lets a router forward, and its neighbours use it for each other's addresses on it."""
        run(*self.within(router, "sysctl", "-q", "net.ipv4.ip_forward=1"))
        ends = [node for node in self.nodes if self.is_linked(node, router)]
        for node in ends:
            for other in ends:
                if other != node:
                    run(*self.within(node, "ip", "route", "add", self.underlay(other, router), "via", self.underlay(router, node)))

    def is_linked(self, node, other):
        return any({node, other} == set(link) for link in self.links)

    def endpoints(self, node, other):
        """The addresses of `other` that `node` can send to, by the link between them or by routers."""
        ways = [node] + self.routers
        return [self.underlay(other, way) for way in ways
                if self.is_linked(other, way) and (way == node or self.is_linked(node, way))]

    def emulator_socket(self, left, right):
        return f"{self.directory.name}/{left}{right}.sock"

    def impair(self, left, right, *words):
        """Changes an emulated link; returns when that was done."""
        run(self.emulator, "set", self.emulator_socket(left, right), *words)
        return time.monotonic()

    def start(self, node, *command):
        log = open(f"{self.directory.name}/{node}.log", "a")
        process = subprocess.Popen(self.within(node, *command), stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        self.processes.setdefault(node, []).append(process)
        return process

    def start_meshd(self, node, plain=()):
        """Starts a meshd with every neighbour as peer, those in `plain` without Babel; returns when it was started."""
        lines = ["[Interface]", f"PrivateKey = {self.private[node]}", "ListenPort = 51820", "Babel = on",
                 f"Address = {self.address(node)}/32, fd97::{self.nodes.index(node) + 1}/128"]
        for other in self.neighbours(node):
            lines += ["[Peer]", f"PublicKey = {self.public[other]}"]
            lines += [f"Endpoint = {address}:51820" for address in self.endpoints(node, other)]
            if other in plain:
                lines += ["Babel = off", f"AllowedIPs = {self.address(other)}/32"]
        file = f"{self.directory.name}/{self.interface(node)}.conf"
        with open(os.open(file, os.O_WRONLY | os.O_CREAT, 0o600), "w") as configuration:
            configuration.write("\n".join(lines) + "\n")
        began = time.monotonic()
        self.start(node, self.meshd, "up", "-f", "--state-dir", self.directory.name, file)
        return began

    def start_wireguard(self, node, other, link_local):
        """Starts a wireguard-go with a point-to-point interface to its only peer."""
        interface = self.interface(node)
        process = self.start(node, "wireguard-go", "-f", interface)
        wait_for(lambda: os.path.exists(f"{SOCKETS}/{interface}.sock"), 5, "wireguard-go")
        run(*self.within(node, "wg", "setconf", interface, "/dev/stdin"), input=(
            f"[Interface]\nPrivateKey = {self.private[node]}\nListenPort = 51820\n"
            f"[Peer]\nPublicKey = {self.public[other]}\nAllowedIPs = 0.0.0.0/0, ::/0\n"
            f"Endpoint = {self.endpoints(node, other)[0]}:51820\n"))
        for address in (f"{link_local}/64", f"{self.address(node)}/32"):
            run(*self.within(node, "ip", "address", "add", address, "dev", interface))
        run(*self.within(node, "ip", "link", "set", interface, "mtu", "1420", "up"))
        return process

    def start_babeld(self, node):
        state = f"{self.directory.name}/{node}.babeld"
        return self.start(node, "babeld", "-I", f"{state}.pid", "-S", state, "-C", f"interface {self.interface(node)} type tunnel",
                          "-C", f"redistribute local ip {self.address(node)}/32", "-C", "redistribute local deny")

    def neighbours(self, node):
        return [other for other in self.nodes if other != node and self.endpoints(node, other)]

    def stop(self, node, number=signal.SIGTERM):
        """Signals all processes of a node; returns when."""
        now = time.monotonic()
        for process in self.processes.get(node, []):
            process.send_signal(number)
        return now

    def uapi(self, node, request):
        with socket.socket(socket.AF_UNIX) as connection:
            connection.connect(f"{SOCKETS}/{self.interface(node)}.sock")
            connection.sendall(request.encode())
            answer = b""
            while not answer.endswith(b"\n\n"):
                part = connection.recv(65536)
                if not part:
                    break
                answer += part
        return answer.decode()

    def way(self, node, other):
        """The router by which packets of `node` for the peer `other` go."""
        peer = None
        for line in self.uapi(node, "get=1\n\n").splitlines():
            key, _, value = line.partition("=")
            if key == "public_key":
                peer = value
            elif key == "endpoint" and peer == bytes_of(self.public[other]):
                address = value.rpartition(":")[0]
                return next((way for way in self.routers if address == self.underlay(other, way)), None)
        return None

    def next_hop(self, node, other):
        """The neighbour that packets to `other` go to, as `wg show allowed-ips` would say."""
        peers = {bytes_of(key): name for name, key in self.public.items()}
        peer = None
        try:
            for line in self.uapi(node, "get=1\n\n").splitlines():
                key, _, value = line.partition("=")
                if key == "public_key":
                    peer = peers.get(value)
                elif key == "allowed_ip" and value == f"{self.address(other)}/32":
                    return peer
        except OSError:
            pass
        return None

    def await_direct(self, *pairs, seconds=30):
        """Waits until packets of all pairs go straight."""
        for a, b in pairs:
            for node, other in ((a, b), (b, a)):
                wait_for(lambda: self.next_hop(node, other) == other, seconds, f"{node} next to {other}", 0.02)

    def logs(self):
        for name in sorted(os.listdir(self.directory.name)):
            if name.endswith(".log"):
                with open(f"{self.directory.name}/{name}") as log:
                    yield from (f"{name}: {line.rstrip()}" for line in log.readlines()[-15:])

    def __exit__(self, *error):
        Mesh.last_words = list(self.logs())
        if error and error[0] not in (None, KeyboardInterrupt, SystemExit):
            print("\n".join(Mesh.last_words), file=sys.stderr)
        processes = [process for started in self.processes.values() for process in started]
        for process in processes:
            process.terminate()
        for process in processes:
            try:
                process.wait(3)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        for namespace in self.namespaces:
            subprocess.run(["ip", "netns", "delete", namespace], capture_output=True)
        for node in self.nodes:
            if os.path.exists(f"{SOCKETS}/{self.interface(node)}.sock"):
                os.unlink(f"{SOCKETS}/{self.interface(node)}.sock")
        self.directory.cleanup()


def bytes_of(key):
    """A key as the UAPI writes it."""
    import base64
    return base64.b64decode(key).hex()


def open_socket(mesh, node, *arguments):
    """A socket in a node's namespace: a thread of its own goes there and opens it."""
    result = []

    def enter():
        with open(f"/run/netns/{mesh.namespace(node)}") as namespace:
            if LIBC.setns(namespace.fileno(), CLONE_NEWNET):
                raise OSError(ctypes.get_errno(), "setns")
        result.append(socket.socket(*arguments))

    thread = threading.Thread(target=enter)
    thread.start()
    thread.join()
    return result[0]


class Echo:
    """UDP packets from one node to another and back, one each `interval` seconds."""

    PORT = 7007

    def __init__(self, mesh, node, other, interval=0.005):
        self.interval, self.target = interval, (mesh.address(other), self.PORT)
        self.sent, self.answered = [], {}
        self.ends = [open_socket(mesh, end, socket.AF_INET, socket.SOCK_DGRAM) for end in (node, other)]
        for end, name in zip(self.ends, (node, other)):
            end.setsockopt(socket.SOL_IP, 15, 1)  # IP_FREEBIND: the address may not be there yet
            end.bind((mesh.address(name), self.PORT))
            end.settimeout(0.2)
        self.isEnding = False
        self.threads = [threading.Thread(target=work, daemon=True) for work in (self.send, self.reflect, self.receive)]

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def send(self):
        due = time.monotonic()
        while not self.isEnding:
            due += self.interval
            self.sent.append(time.monotonic())
            try:
                self.ends[0].sendto(str(len(self.sent) - 1).encode(), self.target)
            except OSError:
                pass  # the route is not there yet, or an ICMP error came back
            time.sleep(max(0, due - time.monotonic()))

    def each(self, end):
        while not self.isEnding:
            try:
                yield end.recvfrom(2048)
            except OSError:
                continue

    def reflect(self):
        for data, sender in self.each(self.ends[1]):
            try:
                self.ends[1].sendto(data, sender)
            except OSError:
                pass

    def receive(self):
        for data, _ in self.each(self.ends[0]):
            self.answered[int(data)] = time.monotonic()

    def first_answer(self, since, seconds):
        """When the first packet came back of those that were sent after `since`."""
        start = next((i for i, time_ in enumerate(self.sent) if time_ >= since), len(self.sent))

        def answers():
            return [number for number in list(self.answered) if number >= start]

        wait_for(answers, seconds, "an answer")
        return self.answered[min(answers())]

    def lost(self, first, count):
        """How many of `count` packets from number `first` on were not answered."""
        return sum(number not in self.answered for number in range(first, first + count))

    def __exit__(self, *_):
        self.isEnding = True
        for thread in self.threads:
            thread.join()
        for end in self.ends:
            end.close()
