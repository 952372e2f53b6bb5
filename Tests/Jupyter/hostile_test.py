"""Messages that no honest client sends: nothing crashes, and nothing is executed."""

import random
import socket
import struct
import time
import unittest

from hostile import CHANNELS, DELIMITER, Attacker, encoded, header
from support import SOON, KernelCase, is_running, note

# The number of random messages, and the seed of them all.
RANDOM_MESSAGES, SEED = 10_000, 20261126
# A statement whose execution would be seen.
EVIL = {"code": "evil = 1", "silent": False, "store_history": True, "stop_on_error": False}
WRONG = [None, True, -1, 2 ** 31, 2 ** 70, 1e308, "", "x", "\0", [], [[]], {}, {"a": {"b": []}}]


class HostileTests(KernelCase):
    """Each test ends with a kernel that answers, has run nothing, and has written little."""

    def setUp(self):
        super().setUp()
        self.attacker = Attacker(self.k.manager.get_connection_info())
        self.addCleanup(self.attacker.close)
        self.assertEqual(self.attacker.ask("kernel_info_request")["status"], "ok")
        self.count = self.k.run("1").reply["execution_count"]
        self.log_size = len(self.k.log)
        self.process = self.k.process

    def assert_unharmed(self, executed=0, log=4_000):
        # The answers to these come after all that this attacker has sent before.
        for channel in ("shell", "control"):
            self.assertEqual(
                self.attacker.ask("kernel_info_request", channel=channel)["status"], "ok")
        self.assertTrue(self.attacker.echoes())
        self.assertTrue(is_running(self.process), self.k.log[-1000:])
        info, seconds = self.k.ask("kernel_info_request", limit=30)
        self.assertEqual(info["content"]["language_info"]["name"], "sami")
        done = self.k.run("1")
        self.assertEqual(done.reply["execution_count"], self.count + 1 + executed)
        self.assertEqual(self.k.run("evil", store_history=False).reply["status"], "error")
        self.assertLess(len(self.k.log) - self.log_size, log)
        self.assertTrue(self.k.client.hb_channel.is_beating())

    def test_wrong_signatures(self):
        """No signature, another key, a signature that is cut, in capitals, or of other parts."""
        attacker = self.attacker
        right = attacker.signed(header("execute_request"), EVIL)
        other = attacker.signed(header("execute_request"), {"code": "1"})
        digits = right[1]
        wrong = [b"", b"0" * 64, digits[:-1], digits + b"0", digits.upper(), other[1], b"\xff" * 64,
                 digits[:-1] + (b"0" if digits[-1:] != b"0" else b"1"), b"\0" * 64]
        for signature in wrong:
            for channel in ("shell", "control", "stdin"):
                attacker.send([DELIMITER, signature, *right[2:]], channel)
        # A right signature over parts that were exchanged or changed afterwards.
        attacker.send([*right[:2], right[3], right[2], *right[4:]])
        attacker.send([*right[:5], encoded({**EVIL, "code": "evil = 2"})])
        self.assert_unharmed()

    def test_replayed_messages(self):
        """A message that somebody has heard runs once, on whatever socket it comes again."""
        # The failure at the end of the test before refuses what was sent before it.
        time.sleep(0.6)
        message = self.attacker.signed(
            header("execute_request"), {"code": "heard = 1", "store_history": True})
        for channel in ("shell", "shell", "control", "shell", "stdin"):
            self.attacker.send(message, channel)
            time.sleep(0.05)
        self.assert_unharmed(executed=1)

    def test_missing_and_many_parts(self):
        """Every cut of a message, and one with up to 10,000 parts."""
        right = self.attacker.signed(header("execute_request"), EVIL)
        for channel in ("shell", "control"):
            for count in range(len(right)):
                self.attacker.send(right[:count] or [b""], channel)
                self.attacker.send(right[:count] + [b""], channel)
            for place in range(len(right)):
                self.attacker.send(right[:place] + right[place + 1:], channel)
            self.attacker.send([DELIMITER] * 6, channel)
            for count in (65, 66, 1000, 10_000):
                self.attacker.send([b"x"] * count + right, channel)
        for channel in ("hb", "stdin"):
            self.attacker.send([b"x"] * 10_000, channel)
        self.assert_unharmed()

    def test_random_messages(self):
        """Noise on all five sockets: random parts, delimiters anywhere, cuts, wrong signatures."""
        draw = random.Random(SEED)
        right = self.attacker.signed(header("execute_request"), EVIL)
        start = time.monotonic()

        def noise():
            return draw.randbytes(draw.choice((0, 1, 3, 32, 64, 300)))

        for number in range(RANDOM_MESSAGES):
            kind = draw.randrange(6)
            if kind == 0:
                parts = [noise() for _ in range(draw.randint(1, 80))]
            elif kind == 1:
                parts = [DELIMITER, noise(), *[noise() for _ in range(draw.randint(0, 8))]]
            elif kind == 2:
                # One byte of an honest message is another one.
                parts = list(right)
                place = draw.randrange(1, len(parts))
                at = draw.randrange(len(parts[place]))
                flipped = bytearray(parts[place])
                flipped[at] ^= draw.randrange(1, 256)
                parts[place] = bytes(flipped)
            elif kind == 3:
                parts = draw.sample(right, draw.randint(1, len(right)))
                parts = parts if parts != right else [b""]
            elif kind == 4:
                parts = [noise(), noise(), *right[:2], *[noise() for _ in range(4)]]
            else:
                parts = [*right[:1], b"%064x" % draw.getrandbits(256), *right[2:]]
            self.attacker.send(parts, draw.choice(CHANNELS))
            if number % 500 == 0:
                self.attacker.drain()
        self.assert_unharmed()
        self.assertIn("dropped", self.k.log)
        note(f"{RANDOM_MESSAGES} random messages in {time.monotonic() - start:.1f} s, seed {SEED}")

    def test_garbage_on_the_ports(self):
        """Bytes that are not of ZeroMQ: noise, HTTP, greetings that stop, lengths that lie."""
        draw = random.Random(SEED)
        greeting = b"\xff" + b"\0" * 8 + b"\x7f\x03\x00NULL" + b"\0" * 48
        info = self.attacker.connection
        payloads = [
            b"", b"\0", b"GET / HTTP/1.1\r\n\r\n", greeting[:10], greeting,
            greeting + b"\x04\xff", greeting + b"\x02" + b"\xff" * 8,
            greeting + b"\x06" + struct.pack(">Q", 2 ** 40) + b"x" * 1000,
            greeting + b"\x04\x26\x05READY\x0bSocket-Type\0\0\0\x06DEALER\x08Identity\0\0\0\0"
            + b"\x02" + struct.pack(">Q", 2 ** 62),
            greeting.replace(b"NULL\0\0\0\0\0", b"PLAIN\0\0\0\0")]
        payloads += [draw.randbytes(draw.randint(1, 5000)) for _ in range(20)]
        for channel in CHANNELS:
            for payload in payloads:
                with socket.create_connection(
                        (info["ip"], info[channel + "_port"]), timeout=SOON) as connection:
                    try:
                        connection.sendall(payload)
                    except OSError:
                        # The kernel closes a connection that is not ZeroMQ's.
                        pass
        self.assert_unharmed()

    def test_malformed_json(self):
        """Signed parts that are no JSON, no object, too deep, or no UTF-8."""
        head = header("execute_request")
        deep = b"[" * 100_000
        parts = [
            b"", b"null", b"[]", b"1", b'"x"', b"{", b"{}{}", b"\xff\xfe", b'{"code": "\xff"}',
            deep, b'{"a":' * 100_000, b'{"a":' + deep + b"]" * 100_000 + b"}", b'{"code": NaN}',
            b"\0" * 100, b'{"code": "evil = 1"', b'{"code": "\\ud800"}']
        for part in parts:
            for name in ("head", "content", "parent", "metadata"):
                whole = {"head": head, "content": {"code": "1", "silent": True}, name: part}
                self.attacker.send(self.attacker.signed(**whole))
        self.assert_unharmed(log=10_000)

    def test_wrong_headers(self):
        """Each member of a signed header with each wrong type, or without it."""
        for name in header("x"):
            for value in WRONG:
                changed = header("kernel_info_request", **{name: value})
                self.attacker.send(self.attacker.signed(changed, {}))
                self.attacker.send(self.attacker.signed(changed, {}), "control")
            absent = header("kernel_info_request")
            del absent[name]
            self.attacker.send(self.attacker.signed(absent, {}))
        self.assert_unharmed(log=10_000)

    def test_wrong_contents(self):
        """Each field of each request with each wrong type gets a reply: an error, or harmless."""
        requests = {
            "complete_request": {"code": "rollo", "cursor_pos": 5},
            "inspect_request": {"code": "rollout", "cursor_pos": 5, "detail_level": 0},
            "is_complete_request": {"code": "1"},
            "history_request": {
                "hist_access_type": "tail", "n": 3, "output": True, "raw": True, "session": 0,
                "start": 0, "stop": 5, "pattern": "*", "unique": True},
            "comm_info_request": {"target_name": "x"}, "kernel_info_request": {},
            "execute_request": {
                "code": "1", "silent": True, "store_history": False, "user_expressions": {},
                "allow_stdin": False, "stop_on_error": False}}
        asked = 0
        for message_type, content in requests.items():
            variants = [{}, {"no such field": [1]}]
            for name in content:
                variants += [{**content, name: value} for value in WRONG]
                variants.append({key: content[key] for key in content if key != name})
            for variant in variants:
                if message_type == "execute_request":
                    # What counts is known to the last test alone.
                    variant = {**variant, "silent": True}
                reply = self.attacker.ask(message_type, variant)
                asked += 1
                self.assertIsNotNone(reply, (message_type, variant))
                allowed = ("complete", "incomplete", "invalid", "ok", "error")
                self.assertIn(reply["status"], allowed, (message_type, variant))
        for kind in ("tail", "range", "search"):
            for name in ("n", "session", "start", "stop", "pattern"):
                for value in (*WRONG, -2 ** 63, 2 ** 63 - 1):
                    reply = self.attacker.ask(
                        "history_request", {"hist_access_type": kind, name: value})
                    asked += 1
                    self.assertEqual(reply["status"], "ok")
        note(f"{asked} requests with wrong contents")
        self.assert_unharmed()

    def test_wrong_control(self):
        """Shutdown and interrupt with wrong contents; the shutdown goes to a kernel of its own."""
        for value in WRONG:
            self.assertIsNotNone(
                self.attacker.ask("interrupt_request", {"restart": value}, "control"))
        self.assert_unharmed()
        for value in ("x", None):
            kernel = self.kernel()
            attacker = Attacker(kernel.manager.get_connection_info())
            self.assertEqual(attacker.ask("kernel_info_request")["status"], "ok")
            reply = attacker.ask("shutdown_request", {"restart": value}, "control")
            self.assertEqual(reply["restart"], False)
            kernel.manager.provisioner.process.wait(SOON)
            attacker.close()

    def test_hostile_code(self):
        """NUL bytes, unpaired halves of UTF-16, deep brackets, and a position far outside."""
        codes = [
            "x = \0 1", "\0", "x = \"\0\"", "\ud800", "(" * 20_000, "[" * 20_000 + "]" * 20_000,
            "-" * 20_000 + "1", "{" * 5_000, "x" * 1_000_000, "\u202e1 + 1", "1;" * 5_000,
            "for i in [1] {" * 2_000, "not " * 20_000 + "true", "1" * 100_000, '"' * 9_999]
        for code in codes:
            # JSON with half a character is dropped, and has no reply.
            is_answered = "\ud800" not in code
            contents = [
                (kind, {"code": code, "cursor_pos": cursor})
                for kind in ("is_complete_request", "complete_request", "inspect_request")
                for cursor in (0, len(code), 2 ** 62, -2 ** 62)]
            contents.append(("execute_request", {"code": code, "silent": True}))
            for kind, content in contents:
                head = header(kind)
                self.attacker.send(self.attacker.signed(head, content))
                if is_answered:
                    self.assertIsNotNone(
                        self.attacker.reply(head["msg_id"], limit=30), (kind, code[:20]))
        self.assert_unharmed()

    def test_unknown_requests(self):
        """Many requests of unknown types, some of them long, leave a short log."""
        for number in range(2_000):
            self.attacker.send(self.attacker.signed(header(f"unknown {number}"), EVIL))
        self.attacker.send(self.attacker.signed(header("x" * 1_000_000), EVIL))
        self.attacker.send(self.attacker.signed(header("\x1b[2J\r\n"), EVIL))
        self.assert_unharmed(log=20_000)


if __name__ == "__main__":
    unittest.main()
