"""What is measured in a network, one function each; MEASURES has them by the name that --tests takes.

A function gets the network and the seconds a run may take, and returns its figures by name; the name ends in the unit.
A new measure is a new function and a line in MEASURES.
"""

import json
import os
import re
import statistics
import subprocess
import sys
import time

from network import run

# The greatest loss at which a rate of datagrams counts as carried.
LOSS = 0.01
# Halvings of the interval in which that rate is searched; 7 leave 2 % of what a flood gets through.
HALVINGS = 7


def tcp(network, seconds, *options):
    """One iperf3 run between a and b: Gbit/s received, and what the daemons paid for it."""
    with iperf_server(network):
        before = {node: network.cpu_seconds(node) for node in network.nodes}
        end = json.loads(run(*iperf_client(network, seconds, *options), timeout=seconds + 20))["end"]
        cpu = {node: network.cpu_seconds(node) - before[node] for node in network.nodes}
    gigabytes = end["sum_received"]["bytes"] / 1e9
    figures = {"gbps": end["sum_received"]["bits_per_second"] / 1e9, "cpu_s_per_gb": sum(cpu.values()) / gigabytes}
    if "m" in cpu:
        figures["cpu_s_per_gb_of_m"] = cpu["m"] / gigabytes
    return figures


def tcp1(network, seconds):
    return named("tcp1", tcp(network, seconds))


def tcp4(network, seconds):
    return named("tcp4", tcp(network, seconds, "-P", "4"))


def reverse(network, seconds):
    """One stream from b to a."""
    return named("reverse", tcp(network, seconds, "-R"))


def udp64(network, seconds):
    """The highest rate of 64-octet datagrams that arrives with a loss of at most LOSS, searched by halving."""
    seconds = max(seconds / HALVINGS, 0.5)
    flood, _ = datagrams(network, 0, seconds)
    # A daemon that drowns carries less than it could.
    carried, lost = 0, 2 * flood
    for _ in range(HALVINGS):
        rate = (carried + lost) / 2
        # Another process may have been in the way: a rate that fails is tried once more.
        if any(datagrams(network, rate, seconds)[1] <= LOSS for _ in range(2)):
            carried = rate
        else:
            lost = rate
    return {"udp64_kpps": carried / 1e3, "udp64_flood_kpps": flood / 1e3}


def rtt(network, seconds):
    """Round trips of a tunnel that carries nothing else."""
    return named("rtt", percentiles(round_trips(network, "-A", "-w", str(seconds))))


def loaded_rtt(network, seconds):
    """Round trips while a TCP stream takes all there is."""
    with iperf_server(network):
        load = subprocess.Popen(iperf_client(network, seconds + 2), stdout=subprocess.DEVNULL)
        try:
            time.sleep(1)  # for the stream to find its rate
            return named("loaded_rtt", percentiles(round_trips(network, "-i", "0.005", "-w", str(seconds))))
        finally:
            load.terminate()
            load.wait()


MEASURES = {"rtt": rtt, "tcp1": tcp1, "tcp4": tcp4, "reverse": reverse, "loaded-rtt": loaded_rtt, "udp64": udp64}


def measure(network, tests, seconds):
    """All figures of one daemon in one round; the memory last, when all have left their traces in it."""
    figures = {}
    for test in tests:
        figures |= MEASURES[test](network, seconds)
    return figures | {"peak_memory_mb": network.peak_memory()}


def named(test, figures):
    return {f"{test}_{figure}": value for figure, value in figures.items()}


class iperf_server:
    """An iperf3 server in b that serves one client, and is gone when the block ends."""

    def __init__(self, network):
        self.command = network.within("b", "iperf3", "-s", "-1", "--forceflush")

    def __enter__(self):
        self.process = subprocess.Popen(self.command, stdout=subprocess.PIPE, text=True)
        while "listening" not in self.process.stdout.readline():
            if self.process.poll() is not None:
                raise RuntimeError("iperf3 does not listen")

    def __exit__(self, *_):
        self.process.kill()
        self.process.communicate()


def iperf_client(network, seconds, *options):
    return network.within("a", "iperf3", "-J", "-c", network.address("b"), "-t", str(seconds), *options)


def datagrams(network, rate, seconds):
    """Datagrams from a to b at `rate` a second, unless it is 0 as many as possible: how many a second arrive, and the
    share of those due that does not."""
    program = [sys.executable, os.path.join(os.path.dirname(__file__), "udp.py")]
    counter = subprocess.Popen(network.within("b", *program, "count"), stdout=subprocess.PIPE, text=True)
    try:
        counter.stdout.readline()
        sent = json.loads(run(*network.within("a", *program, "send", network.address("b"), str(rate), str(seconds))))
        received = json.loads(counter.communicate(timeout=10)[0])["datagrams"]
    finally:
        counter.kill()
        counter.communicate()
    # A sender that falls behind the rate has not shown that it is carried.
    due = max(sent["datagrams"], rate * sent["seconds"])
    return received / sent["seconds"], 1 - received / due


def round_trips(network, *options):
    """What ping measures, in µs."""
    lines = subprocess.run(network.within("a", "ping", "-n", *options, network.address("b")), capture_output=True, text=True)
    times = [float(time) * 1e3 for time in re.findall(r"time=([\d.]+) ms", lines.stdout)]
    if len(times) < 2:
        raise RuntimeError(f"ping: {lines.stdout}{lines.stderr}")
    return times


def percentiles(times):
    hundredths = statistics.quantiles(times, n=100)
    return {"p50_us": hundredths[49], "p99_us": hundredths[98]}
