"""A client that breaks the protocol: raw sockets, and messages built part by part."""

import hashlib
import hmac
import itertools
import json
import uuid

import zmq

DELIMITER = b"<IDS|MSG>"
CHANNELS = ("shell", "control", "stdin", "hb", "iopub")
numbers = itertools.count()


def header(message_type, **changes):
    """A header as clients send it, with changes."""
    return {
        "msg_id": f"{uuid.uuid4().hex}_{next(numbers)}", "msg_type": message_type,
        "username": "x", "session": "hostile", "date": "2026-01-01T00:00:00.000000Z",
        "version": "5.4", **changes}


def encoded(value):
    return json.dumps(value).encode("utf-8", "surrogatepass")


class Attacker:
    """Sockets of its own to the five addresses of one kernel."""

    def __init__(self, connection):
        self.connection = connection
        self.key = connection["key"] if isinstance(connection["key"], bytes) else (
            connection["key"].encode())
        self.context = zmq.Context()
        self.sockets = {}
        for channel in CHANNELS:
            socket = self.context.socket(zmq.XSUB if channel == "iopub" else zmq.DEALER)
            socket.setsockopt(zmq.LINGER, 0)
            # It reads rarely and sends much.
            socket.set_hwm(0)
            socket.connect(f"tcp://{connection['ip']}:{connection[channel + '_port']}")
            self.sockets[channel] = socket

    def signature(self, dictionaries):
        return hmac.new(self.key, b"".join(dictionaries), hashlib.sha256).hexdigest().encode()

    def signed(self, head, content, parent=b"{}", metadata=b"{}"):
        """The parts of a message with a right signature; what is not bytes becomes JSON."""
        dictionaries = [
            part if isinstance(part, bytes) else encoded(part)
            for part in (head, parent, metadata, content)]
        return [DELIMITER, self.signature(dictionaries), *dictionaries]

    def send(self, parts, channel="shell"):
        self.sockets[channel].send_multipart(parts)

    def drain(self):
        """Throws away what came back; returns the number of messages."""
        count = 0
        for socket in self.sockets.values():
            while socket.poll(0):
                socket.recv_multipart()
                count += 1
        return count

    def reply(self, message_id, channel="shell", limit=10):
        """The content of the reply to a message; None if nothing comes in `limit` seconds."""
        socket = self.sockets[channel]
        while socket.poll(1000 * limit):
            parts = socket.recv_multipart()
            if DELIMITER not in parts:
                continue
            place = parts.index(DELIMITER)
            if json.loads(parts[place + 3]).get("msg_id") == message_id:
                return json.loads(parts[place + 5])
        return None

    def ask(self, message_type, content=None, channel="shell"):
        """Sends an honest request; returns the content of its reply."""
        head = header(message_type)
        self.send(self.signed(head, content or {}), channel)
        return self.reply(head["msg_id"], channel)

    def echoes(self, limit=10):
        """Whether the heartbeat still sends back what it gets."""
        socket, beat = self.sockets["hb"], uuid.uuid4().bytes
        socket.send(beat)
        while socket.poll(1000 * limit):
            if socket.recv_multipart() == [beat]:
                return True
        return False

    def close(self):
        self.context.destroy(linger=0)
