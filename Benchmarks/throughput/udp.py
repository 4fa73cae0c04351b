#!/usr/bin/env python3
"""Sends and counts small datagrams, faster than a daemon forwards them: 64 with each call into the kernel.

    udp.py send ADDRESS RATE SECONDS     RATE a second, or as many as possible if 0
    udp.py count                         until half a second passes without any

Both print one line of JSON: the number of datagrams, and the seconds from the first to the last.
"""

import ctypes
import json
import socket
import sys
import time

PORT = 6001
SIZE = 64
BATCH = 64
BUFFER = 8 << 20
# Of Linux; the module `socket` does not name them.
SO_SNDBUFFORCE = 32
SO_RCVBUFFORCE = 33


class Vector(ctypes.Structure):
    """struct iovec."""

    _fields_ = [("base", ctypes.c_void_p), ("length", ctypes.c_size_t)]


class Header(ctypes.Structure):
    """struct msghdr."""

    _fields_ = [("name", ctypes.c_void_p), ("name_length", ctypes.c_uint32), ("vectors", ctypes.POINTER(Vector)),
                ("vector_count", ctypes.c_size_t), ("control", ctypes.c_void_p), ("control_length", ctypes.c_size_t),
                ("flags", ctypes.c_int)]


class Message(ctypes.Structure):
    """struct mmsghdr."""

    _fields_ = [("header", Header), ("length", ctypes.c_uint)]


libc = ctypes.CDLL(None)
octets = ctypes.create_string_buffer(SIZE)
vector = Vector(ctypes.addressof(octets), SIZE)
# All share the octets: nobody reads them.
messages = (Message * BATCH)(*[Message(Header(vectors=ctypes.pointer(vector), vector_count=1)) for _ in range(BATCH)])


def send(address, rate, seconds):
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as udp:
        udp.setsockopt(socket.SOL_SOCKET, SO_SNDBUFFORCE, BUFFER)
        udp.connect((address, PORT))
        sent = 0
        start = now = time.monotonic()
        while now - start < seconds:
            due = min(int((now - start) * rate) - sent, BATCH) if rate else BATCH
            if due > 0:
                sent += max(libc.sendmmsg(udp.fileno(), messages, due, 0), 0)
            else:
                time.sleep(1e-4)
            now = time.monotonic()
        return sent, now - start


def count():
    """Looks once a millisecond, and so leaves the processor to the daemons."""
    with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as udp:
        udp.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        udp.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, BUFFER)
        udp.bind(("", PORT))
        print("ready", flush=True)
        received = 0
        first = last = None
        start = now = time.monotonic()
        while now - (last or start + 4) < 0.5:
            more = libc.recvmmsg(udp.fileno(), messages, BATCH, socket.MSG_DONTWAIT, None)
            if more > 0:
                received += more
                last = now
                first = first or now
            else:
                time.sleep(1e-3)
            now = time.monotonic()
        return received, last - first if first else 0


if sys.argv[1] == "send":
    number, duration = send(sys.argv[2], float(sys.argv[3]), float(sys.argv[4]))
else:
    number, duration = count()
print(json.dumps({"datagrams": number, "seconds": duration}))
