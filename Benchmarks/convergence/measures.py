"""What is measured: one function each, which makes its own network and returns one figure per trial."""

import contextlib
import random
import signal
import subprocess
import time

import stub
from mesh import Echo, Mesh, bytes_of, run, wait_for

RING = ["ab", "bc", "cd", "da"]


def ring(options):
    return Mesh(options, "abcd", RING, ["ab"])


def start_ring(mesh):
    """Starts every node, and waits until a and b use the link between them."""
    for node in mesh.nodes:
        mesh.start_meshd(node)
    mesh.await_direct("ab")


def settle(seconds):
    """Some seconds and a random part of one more, so that no timer is always at the same place."""
    time.sleep(seconds + random.random())


def adjacency(options):
    """Two meshd, RTT ≤ 1 ms: from the start of the second process to the first answer of the other's host, in seconds."""
    with Mesh(options, "ab", ["ab"]) as mesh:
        mesh.start_meshd("a")
        settle(1)
        with Echo(mesh, "a", "b", 0.002) as echo:
            began = mesh.start_meshd("b")
            return echo.first_answer(began, 20) - began


def silent_failure_under_traffic(options):
    """Ring of four, echoes a–b at 200/s, the link a–b falls silent: until an echo sent after that comes back."""
    with ring(options) as mesh:
        start_ring(mesh)
        with Echo(mesh, "a", "b") as echo:
            settle(5)
            cut = mesh.impair("a", "b", "both", "down")
            return echo.first_answer(cut, 30) - cut


def silent_failure_idle(options):
    """The same without traffic: until both ends have left the link."""
    with ring(options) as mesh:
        start_ring(mesh)
        settle(5)
        cut = mesh.impair("a", "b", "both", "down")
        return max(wait_for(lambda: mesh.next_hop("a", "b") == "d", 30, "a by d"),
                   wait_for(lambda: mesh.next_hop("b", "a") == "c", 30, "b by c")) - cut


def stock_pair(options):
    return Mesh(options, "ms", ["ms"], ["ms"])


def start_stock_pair(mesh):
    mesh.start_wireguard("s", "m", "fe80::5")
    mesh.start_meshd("m")
    mesh.start_babeld("s")


def dead_stock_neighbour(options):
    """wireguard-go with babeld falls silent, echoes to it at 100/s: until meshd has no route by it any more."""
    with stock_pair(options) as mesh:
        start_stock_pair(mesh)
        wait_for(lambda: mesh.next_hop("m", "s") == "s", 30, "m next to s")
        with Echo(mesh, "m", "s", 0.01) as echo:
            echo.first_answer(time.monotonic(), 10)
            settle(9)
            cut = mesh.impair("m", "s", "both", "down")
            return wait_for(lambda: mesh.next_hop("m", "s") is None, 30, "m without s") - cut


def babeld_notices(options):
    """meshd is killed: until babeld's routes by it are gone from its kernel."""
    with stock_pair(options) as mesh:
        start_stock_pair(mesh)

        def routed():
            routes = subprocess.run(mesh.within("s", "ip", "route", "show", "proto", "babel"), capture_output=True, text=True)
            return any(f"{mesh.address('m')} " in line and "dev" in line and "unreachable" not in line
                       for line in routes.stdout.splitlines())

        wait_for(routed, 40, "babeld's route to m")
        settle(6)
        killed = mesh.stop("m", signal.SIGKILL)
        return wait_for(lambda: not routed(), 60, "babeld without m") - killed


def peer_removed(options):
    """Ring of four, echoes a–b at 200/s, a's user removes b: until an echo comes back by d and c. 3 hops."""
    with ring(options) as mesh:
        start_ring(mesh)
        with Echo(mesh, "a", "b") as echo:
            settle(4)
            removed = time.monotonic()
            mesh.uapi("a", f"set=1\npublic_key={bytes_of(mesh.public['b'])}\nremove=true\n\n")
            return echo.first_answer(removed, 30) - removed


def terminated(options):
    """Ring of four, echoes a–c at 200/s, the node between gets SIGTERM: until an echo sent after that comes back."""
    with ring(options) as mesh:
        for node in mesh.nodes:
            mesh.start_meshd(node)
        wait_for(lambda: mesh.next_hop("a", "c"), 20, "a route to c")
        with Echo(mesh, "a", "c") as echo:
            settle(4)
            ended = mesh.stop(mesh.next_hop("a", "c"))
            return echo.first_answer(ended, 30) - ended


def seqno_request(options):
    """s – m – t, s and t hand-made speakers behind wireguard-go: from s's request to the one that t gets, one hop."""
    with Mesh(options, "mst", ["ms", "mt"]) as mesh:
        for node, link_local in (("s", "fe80::5"), ("t", "fe80::6")):
            mesh.start_wireguard(node, "m", link_local)
        mesh.start_meshd("m")
        with stub.Speaker(mesh, "t", "fe80::6", announces=True) as origin, stub.Speaker(mesh, "s", "fe80::5") as asker:
            wait_for(lambda: mesh.next_hop("m", "t") == "t", 30, "m next to t")
            settle(1)
            asked = asker.request_seqno(origin)
            return wait_for(lambda: origin.requested, 10, "the forwarded request", 0.0002) and origin.requested - asked


def return_to_better_path(options):
    """Ring of four, 1000 echoes a second a–b: how many of 10 000 are lost while the direct link returns."""
    with ring(options) as mesh:
        start_ring(mesh)
        settle(2)
        mesh.impair("a", "b", "both", "down")
        with Echo(mesh, "a", "b", 0.001) as echo:
            echo.first_answer(time.monotonic(), 30)
            settle(3)
            first = len(echo.sent)
            mesh.impair("a", "b", "both", "up")
            wait_for(lambda: len(echo.sent) > first + 10_000, 60, "10 000 packets", 0.05)
            if mesh.next_hop("a", "b") != "b" or mesh.next_hop("b", "a") != "a":
                raise RuntimeError("the direct link was not taken again")
            time.sleep(0.5)
            return echo.lost(first, 10_000)


# --- Several ways to one peer ----------------------------------------------------------------------------------------


@contextlib.contextmanager
def two_ways(options, peer, interval=0.002):
    """a has a peer by the routers p and q, 4 ms there and back: the mesh, echoes to the peer, the router in use, the other."""
    with Mesh(options, ["a", peer], ["ap", "aq", peer + "p", peer + "q"], ["ap", "aq"], "pq") as mesh:
        for router in mesh.routers:
            mesh.impair("a", router, "both", "delay", "2ms")
        if peer == "s":
            mesh.start_wireguard("s", "a", "fe80::5")
            run(*mesh.within("s", "ip", "route", "add", mesh.address("a"), "dev", mesh.interface("s")))
        else:
            mesh.start_meshd(peer)
        mesh.start_meshd("a", plain="s")
        with Echo(mesh, "a", peer, interval) as echo:
            echo.first_answer(time.monotonic(), 20)
            # No initiation follows another in less than 5 s.
            settle(6)
            used = mesh.way("a", peer)
            yield mesh, echo, used, next(router for router in mesh.routers if router != used)


def silent_path(options, peer, direction):
    with two_ways(options, peer) as (mesh, echo, used, _):
        cut = mesh.impair("a", used, direction, "loss", "100%")
        return echo.first_answer(cut, 60) - cut


def path_silent(options):
    """Two meshd with two ways between them, 500 echoes a second, the one in use falls silent: until an echo comes back."""
    return silent_path(options, "b", "both")


def path_silent_one_way(options):
    """The same, but only what a sends is lost."""
    return silent_path(options, "b", "ab")


def path_silent_stock(options):
    """The same as the first with a wireguard-go as the peer."""
    return silent_path(options, "s", "both")


def refused_path(options, peer, where, *change):
    with two_ways(options, peer) as (mesh, echo, used, _):
        target = mesh.underlay(peer, used)
        run(*mesh.within(where or used, "ip", "route", *change, target))
        failed = time.monotonic()
        return echo.first_answer(failed, 60) - failed


def path_send_error(options):
    """Two meshd with two ways, 500 echoes a second, the route to the endpoint in use goes: until an echo comes back."""
    return refused_path(options, "b", "a", "delete")


def path_send_error_stock(options):
    """The same with a wireguard-go as the peer."""
    return refused_path(options, "s", "a", "delete")


def path_icmp(options):
    """Two meshd with two ways, the router of the one in use says that the host is unreachable: until an echo comes back."""
    return refused_path(options, "b", None, "replace", "unreachable")


def path_icmp_stock(options):
    """The same with a wireguard-go as the peer."""
    return refused_path(options, "s", None, "replace", "unreachable")


def better_path(options):
    """a to b by one of two ways, 1000 echoes a second, which becomes 40 ms slower: when the other is used, and what was lost."""
    with two_ways(options, "b", 0.001) as (mesh, echo, used, other):
        first = len(echo.sent)
        worse = mesh.impair("a", used, "both", "delay", "22ms")
        moved = wait_for(lambda: mesh.way("a", "b") == other, 60, "a to b by the other way", 0.02)
        settle(2)
        last = len(echo.sent)
        time.sleep(0.5)
        return moved - worse, echo.lost(first, last - first)


def path_better(options):
    """Two meshd with two ways, the one in use becomes 40 ms slower: until the other is used."""
    return better_path(options)[0]


def path_better_lost(options):
    """How many echoes are lost on that, at 1000 a second."""
    return better_path(options)[1]


# Name: function, unit, wanted median and wanted worst.
MEASURES = {
    "adjacency": (adjacency, "s", 0.3, 1.0),
    "silent-traffic": (silent_failure_under_traffic, "s", 0.5, 1.0),
    "silent-idle": (silent_failure_idle, "s", 2.8, 4.0),
    "stock-dead": (dead_stock_neighbour, "s", 0.6, 1.2),
    "babeld-notices": (babeld_notices, "s", 1.8, 3.0),
    "peer-removed": (peer_removed, "s", 0.19, 0.19),
    "sigterm": (terminated, "s", 0.16, 0.16),
    "seqno-request": (seqno_request, "s", 0.025, 0.025),
    "return": (return_to_better_path, "lost", 0, 0),
    "path-silent": (path_silent, "s", 0.5, 0.5),
    "path-silent-half": (path_silent_one_way, "s", 0.5, 0.5),
    "path-silent-stock": (path_silent_stock, "s", 16, 16),
    "path-refused": (path_send_error, "s", 0.05, 0.06),
    "path-refused-stock": (path_send_error_stock, "s", 0.05, 0.06),
    "path-icmp": (path_icmp, "s", 0.1, 0.2),
    "path-icmp-stock": (path_icmp_stock, "s", 0.1, 0.2),
    "path-better": (path_better, "s", 10, 15),
    "path-better-lost": (path_better_lost, "lost", 0, 0),
}
