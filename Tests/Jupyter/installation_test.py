"""Where the kernel is installed, and starts that cannot succeed: a sentence each."""

import json
import os
import pathlib
import shutil
import socket
import subprocess
import unittest

from support import HOME, PROGRAM, TimedCase, sami


def connection(**changes):
    """A connection file that is right, with changes; None removes a member."""
    members = {
        "transport": "tcp", "ip": "127.0.0.1", "key": "x", "signature_scheme": "hmac-sha256",
        "kernel_name": "sami"}
    for name in ("shell", "control", "stdin", "hb", "iopub"):
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            members[f"{name}_port"] = probe.getsockname()[1]
    members.update(changes)
    return {name: value for name, value in members.items() if value is not None}


class StartTests(TimedCase):
    """`sami kernel run FILE` with what is no use to it."""

    def refuse(self, text, *wanted):
        """The kernel ends at once with one sentence that holds `wanted`."""
        path = self.folder() / "connection.json"
        path.write_bytes(text if isinstance(text, bytes) else json.dumps(text).encode())
        done = sami("kernel", "run", path, limit=10)
        lines = done.stderr.strip().splitlines()
        self.assertNotIn(done.returncode, (0, None), text)
        # Not by a signal.
        self.assertGreater(done.returncode, 0, done.stderr)
        self.assertEqual(len(lines), 1, done.stderr)
        self.assertEqual(done.stdout, "")
        for word in wanted:
            self.assertIn(word, lines[0])

    def test_no_connection_file(self):
        for text in (b"", b"{", b"null", b"[]", b'"x"', b"\xff\xfe\0", b"[" * 100_000,
                     b"\0" * 1000, b"# remark", b"{" + b" " * 2_000_000 + b"}"):
            self.refuse(text, "connection.json", "not a connection file")

    def test_members(self):
        """Each member that is absent, of a wrong type or out of range is named."""
        for name in ("shell", "control", "stdin", "hb", "iopub"):
            for value in (None, 0, -1, 65536, "80", 1.5, [], {}, True, 2 ** 70):
                self.refuse(connection(**{f"{name}_port": value}), f"{name}_port")
        for name in ("ip", "key", "transport", "signature_scheme"):
            for value in (1, [], {}, True):
                self.refuse(connection(**{name: value}), name)
        self.refuse(connection(transport="udp"), "udp")
        self.refuse(connection(signature_scheme="hmac-md5"), "hmac-md5")

    def test_addresses(self):
        for ip in ("203.0.113.7", "no such host", "", "127.0.0.1:80", "::::", "x" * 10_000, "\0"):
            self.refuse(connection(ip=ip))

    def test_paths(self):
        folder = self.folder()
        for path in (folder / "absent.json", folder, "/dev/null", "/proc/self/mem"):
            done = sami("kernel", "run", path, limit=10)
            self.assertGreater(done.returncode, 0)
            self.assertEqual(len(done.stderr.strip().splitlines()), 1, done.stderr)
            self.assertIn(str(path), done.stderr)
        self.assertGreater(sami("kernel", "run").returncode, 0)

    def test_busy_port(self):
        for name in ("shell", "control", "stdin", "hb", "iopub"):
            with socket.socket() as busy:
                busy.bind(("127.0.0.1", 0))
                busy.listen()
                port = busy.getsockname()[1]
                self.refuse(connection(**{f"{name}_port": port}), str(port))

    def test_the_same_port_twice(self):
        members = connection()
        members["iopub_port"] = members["shell_port"]
        self.refuse(members, str(members["shell_port"]))


class InstallationTests(TimedCase):
    """`sami kernel install | list | uninstall`."""

    def environment(self, home):
        kept = {name: value for name, value in os.environ.items()
                if not name.startswith(("JUPYTER", "XDG", "VIRTUAL_ENV", "CONDA"))}
        return {**kept, "HOME": str(home)}

    def test_user(self):
        home = self.folder()
        environment = self.environment(home)
        self.assertIn("not installed", sami("kernel", "list", environment=environment).stdout)
        done = sami("kernel", "install", environment=environment)
        folder = home / ".local/share/jupyter/kernels/sami"
        self.assertEqual(done.stdout, f"installed: {folder}\n")
        spec = json.loads((folder / "kernel.json").read_text())
        self.assertEqual(pathlib.Path(spec["argv"][0]).resolve(), PROGRAM)
        self.assertEqual(spec["interrupt_mode"], "message")
        for size in (32, 64):
            picture = (folder / f"logo-{size}x{size}.png").read_bytes()
            self.assertEqual(picture[:8], b"\x89PNG\r\n\x1a\n")
            self.assertEqual(int.from_bytes(picture[16:20], "big"), size)
        self.assertIn(str(folder), sami("kernel", "list", environment=environment).stdout)
        # A second time is as good as once.
        self.assertEqual(sami("kernel", "install", environment=environment).returncode, 0)
        self.assertEqual(sami("kernel", "uninstall", environment=environment).returncode, 0)
        self.assertFalse(folder.exists())
        again = sami("kernel", "uninstall", environment=environment)
        self.assertEqual(again.returncode, 1)
        self.assertEqual(len(again.stderr.splitlines()), 1)

    def test_sys_prefix(self):
        home = self.folder()
        environment = self.environment(home)
        done = sami("kernel", "install", "--sys-prefix", environment=environment)
        self.assertGreater(done.returncode, 0)
        self.assertIn("VIRTUAL_ENV", done.stderr)
        environment["VIRTUAL_ENV"] = str(home / "venv")
        sami("kernel", "install", "--sys-prefix", environment=environment)
        self.assertTrue((home / "venv/share/jupyter/kernels/sami/kernel.json").exists())

    def test_the_program_has_moved(self):
        """`kernel list` says that the program of an installed kernel is gone."""
        home = self.folder()
        environment = self.environment(home)
        copy = home / "sami"
        shutil.copy(PROGRAM, copy)
        os.chmod(copy, 0o755)
        subprocess.run([copy, "kernel", "install"], env=environment, check=True,
                       stdout=subprocess.DEVNULL, timeout=20)
        self.assertNotIn("gone", sami("kernel", "list", environment=environment).stdout)
        copy.rename(home / "moved")
        listed = sami("kernel", "list", environment=environment)
        self.assertIn(f"starts {copy}", listed.stdout)
        self.assertIn("this program is gone", listed.stdout)
        sami("kernel", "install", environment=environment)
        self.assertNotIn("gone", sami("kernel", "list", environment=environment).stdout)

    def test_a_broken_specification(self):
        home = self.folder()
        environment = self.environment(home)
        folder = home / ".local/share/jupyter/kernels/sami"
        folder.mkdir(parents=True)
        for text in (b"", b"{", b"[]", b'{"argv": 5}', b'{"argv": []}', b"[" * 100_000):
            (folder / "kernel.json").write_bytes(text)
            listed = sami("kernel", "list", environment=environment)
            self.assertEqual(listed.returncode, 0)
            self.assertIn("cannot be read", listed.stdout, text)
        self.assertEqual(sami("kernel", "install", environment=environment).returncode, 0)
        self.assertNotIn(
            "cannot be read", sami("kernel", "list", environment=environment).stdout)

    def test_a_prefix_that_cannot_be_written(self):
        """A sentence; no half of a kernel stays."""
        file = self.folder() / "file"
        file.write_text("")
        prefixes = ["/proc", str(file), "/dev/null/x", "/sys/kernel"]
        if os.geteuid() != 0:
            closed = self.folder()
            closed.chmod(0o500)
            prefixes.append(str(closed))
        for prefix in prefixes:
            done = sami("kernel", "install", "--prefix", prefix)
            self.assertEqual(done.returncode, 1, prefix)
            self.assertEqual(len(done.stderr.splitlines()), 1, done.stderr)
            self.assertIn(prefix, done.stderr)
        done = sami("kernel", "install", "--user", "--prefix", str(HOME / "x"))
        self.assertGreater(done.returncode, 0)


if __name__ == "__main__":
    unittest.main()
