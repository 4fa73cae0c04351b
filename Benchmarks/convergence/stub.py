"""As little of a Babel speaker as a neighbour needs, on the interface of a wireguard-go."""

import ipaddress
import socket
import struct
import threading
import time

from mesh import open_socket

PORT, GROUP = 6696, "ff02::1:6"
HELLO, IHU, ROUTER_ID, NEXT_HOP, UPDATE, SEQNO_REQUEST, ACK_REQUEST, ACK = 4, 5, 6, 7, 8, 10, 2, 3


def tlv(kind, body):
    return struct.pack("!BB", kind, len(body)) + body


class Speaker:
    """Says Hello and IHU, announces its node's address if it `announces`, and notes the first seqno request it gets."""

    def __init__(self, mesh, node, link_local, announces=False):
        self.link_local, self.announces, self.requested = link_local, announces, None
        self.prefix = ipaddress.ip_address(mesh.address(node)).packed
        self.router_id = socket.inet_pton(socket.AF_INET6, link_local)[8:]
        self.neighbour, self.hellos, self.isEnding = None, 0, False
        self.socket = open_socket(mesh, node, socket.AF_INET6, socket.SOCK_DGRAM)
        # The index is that of the interface in the node's namespace.
        listing = open(f"/proc/{mesh.processes[node][0].pid}/net/if_inet6").read().split("\n")
        index = next(int(line.split()[1], 16) for line in listing if line.endswith(mesh.interface(node)))
        self.scope = index
        self.socket.bind(("::", PORT))
        self.socket.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_IF, index)
        self.socket.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_LOOP, 0)
        self.socket.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_JOIN_GROUP,
                               socket.inet_pton(socket.AF_INET6, GROUP) + struct.pack("@I", index))
        self.socket.settimeout(0.2)
        self.threads = [threading.Thread(target=work, daemon=True) for work in (self.speak, self.listen)]

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def send(self, body, destination=GROUP):
        packet = struct.pack("!BBH", 42, 2, len(body)) + body
        try:
            self.socket.sendto(packet, (destination, PORT, 0, self.scope))
        except OSError:
            pass  # no session yet

    def speak(self):
        while not self.isEnding:
            body = tlv(HELLO, struct.pack("!HHH", 0, self.hellos, 20))
            self.hellos += 1
            if self.neighbour:
                body += tlv(IHU, struct.pack("!BBHH", 3, 0, 96, 60) + self.neighbour[8:])
            if self.announces:
                body += tlv(ROUTER_ID, b"\0\0" + self.router_id) + tlv(NEXT_HOP, b"\1\0" + self.prefix)
                body += tlv(UPDATE, struct.pack("!BBBBHHH", 1, 0, 32, 0, 400, 7, 0) + self.prefix)
            self.send(body)
            time.sleep(0.15)

    def listen(self):
        while not self.isEnding:
            try:
                packet, sender = self.socket.recvfrom(2048)
            except OSError:
                continue
            arrival = time.monotonic()
            self.neighbour = socket.inet_pton(socket.AF_INET6, sender[0].split("%")[0])
            position = 4
            while position + 1 < len(packet):
                kind = packet[position]
                if kind == 0:
                    position += 1
                    continue
                body = packet[position + 2:position + 2 + packet[position + 1]]
                position += 2 + len(body)
                if kind == SEQNO_REQUEST and not self.requested:
                    self.requested = arrival
                elif kind == ACK_REQUEST:
                    self.send(tlv(ACK, body[2:4]), sender[0].split("%")[0])

    def request_seqno(self, origin):
        """Asks the neighbour for a newer number of what `origin` announces; returns when."""
        body = struct.pack("!BBHBB", 1, 32, 8, 64, 0) + origin.router_id + origin.prefix
        now = time.monotonic()
        self.send(tlv(SEQNO_REQUEST, body), socket.inet_ntop(socket.AF_INET6, self.neighbour))
        return now

    def __exit__(self, *_):
        self.isEnding = True
        for thread in self.threads:
            thread.join()
        self.socket.close()
