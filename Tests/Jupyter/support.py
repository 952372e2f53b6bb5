"""What the tests of the Jupyter kernel share: the program, a home for clients, a running kernel."""

import atexit
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest

import jupyter_client

ROOT = pathlib.Path(__file__).resolve().parents[2]
PROGRAM = pathlib.Path(os.environ.get("SAMI", ROOT / ".build/release/sami")).resolve()

# Seconds: for an answer at once, for a cell that computes, and for one whole test.
SOON, LONG, TEST = 10, 60, 120


def sami(*arguments, environment=None, folder=None, limit=LONG):
    """Runs the program; returns the completed process with its texts."""
    return subprocess.run(
        [str(PROGRAM), *map(str, arguments)], env=environment, cwd=folder, timeout=limit,
        stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace")


def make_home():
    """A temporary folder that holds all files of Jupyter's clients, with the kernel installed.

    Nothing of the user's is read or changed: this sets the environment of this process.
    """
    if not os.access(PROGRAM, os.X_OK):
        sys.exit(f"there is no program {PROGRAM}: build it, or name one by SAMI")
    home = pathlib.Path(tempfile.mkdtemp(prefix="sami-jupyter-"))
    atexit.register(shutil.rmtree, home, ignore_errors=True)
    for name in ("config", "data", "runtime", "ipython", "work"):
        (home / name).mkdir()
    os.environ.update(
        JUPYTER_CONFIG_DIR=str(home / "config"), JUPYTER_DATA_DIR=str(home / "data"),
        JUPYTER_RUNTIME_DIR=str(home / "runtime"), IPYTHONDIR=str(home / "ipython"),
        JUPYTER_PATH=str(home / "prefix/share/jupyter"), JUPYTER_PREFER_ENV_PATH="0",
        HOME=str(home), PYTHONWARNINGS="ignore")
    os.environ.pop("JPY_SESSION_NAME", None)
    installed = sami("kernel", "install", "--prefix", home / "prefix")
    if installed.returncode != 0:
        sys.exit(f"the kernel cannot be installed: {installed.stderr}")
    return home


HOME = make_home()


def is_running(process):
    """Whether a process exists that has not ended; a zombie has."""
    try:
        fields = pathlib.Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return False
    return fields[0] != "Z"


def wait_until(condition, limit=SOON):
    """Waits until a condition holds; returns the seconds, or fails after `limit`."""
    start = time.monotonic()
    while not condition():
        if time.monotonic() - start > limit:
            raise AssertionError(f"it did not happen within {limit} s")
        time.sleep(0.01)
    return time.monotonic() - start


def note(sentence):
    """A measured number, beside the results of the tests."""
    print(f"[{sentence}]", file=sys.stderr, flush=True)


class Execution:
    """One request, its reply, and all that was published for it, in the order of arrival."""

    def __init__(self, reply, published):
        self.reply_message, self.published = reply, published
        self.reply = reply["content"]

    @property
    def types(self):
        return [message["msg_type"] for message in self.published]

    def contents(self, message_type):
        return [m["content"] for m in self.published if m["msg_type"] == message_type]

    @property
    def text(self):
        """The text of the result; None for none."""
        results = self.contents("execute_result")
        return results[-1]["data"]["text/plain"] if results else None

    @property
    def texts(self):
        """All that a reader sees as text."""
        shown = []
        for message in self.published:
            content = message["content"]
            if "data" in content:
                shown.append(content["data"].get("text/plain", ""))
            elif message["msg_type"] == "error":
                shown.append("\n".join(content["traceback"]))
            elif message["msg_type"] == "stream":
                shown.append(content["text"])
        return "\n".join(shown)


class Kernel:
    """A kernel, started as clients start it, with a client of its own."""

    def __init__(self, notebook=None, folder=None, arguments=()):
        environment = dict(os.environ)
        if notebook:
            environment["JPY_SESSION_NAME"] = str(notebook)
        self.replies = {}
        self.log_file = tempfile.NamedTemporaryFile(dir=HOME, prefix="log-", delete=False)
        self.manager = jupyter_client.KernelManager(kernel_name="sami")
        self.manager.start_kernel(
            env=environment, cwd=str(folder or HOME / "work"), stdout=self.log_file,
            stderr=self.log_file, extra_arguments=list(arguments))
        self.client = self.manager.blocking_client()
        self.client.start_channels()
        try:
            self.client.wait_for_ready(timeout=SOON)
        except Exception:
            self.stop()
            raise

    @property
    def process(self):
        return self.manager.provisioner.process.pid

    @property
    def log(self):
        return pathlib.Path(self.log_file.name).read_text(errors="replace")

    def send(self, code, **options):
        """Sends a cell; returns the id of the request."""
        return self.client.execute(code, **options)

    def collect(self, request, limit=LONG):
        """Waits for the reply of a request and the idle after it."""
        published = []
        end = time.monotonic() + limit
        while True:
            message = self.client.get_iopub_msg(timeout=max(0.01, end - time.monotonic()))
            if message["parent_header"].get("msg_id") != request:
                continue
            published.append(message)
            if message["content"].get("execution_state") == "idle":
                break
        return Execution(self._reply(request, self.client.shell_channel, end), published)

    def _reply(self, request, channel, end):
        """The reply to a request; those to other requests are kept for who asks for them."""
        while request not in self.replies:
            reply = channel.get_msg(timeout=max(0.01, end - time.monotonic()))
            self.replies[reply["parent_header"].get("msg_id")] = reply
        return self.replies.pop(request)

    def run(self, code, limit=LONG, **options):
        """Runs a cell to its end."""
        return self.collect(self.send(code, **options), limit)

    def wait_for(self, message_type, request, limit=LONG):
        """The next message of a type that is published for a request."""
        end = time.monotonic() + limit
        while True:
            message = self.client.get_iopub_msg(timeout=max(0.01, end - time.monotonic()))
            if (message["msg_type"], message["parent_header"].get("msg_id")) == (
                    message_type, request):
                return message

    def ask(self, message_type, content=None, channel="shell", limit=SOON):
        """Sends a request; returns its reply and the seconds until then."""
        stream = getattr(self.client, f"{channel}_channel")
        message = self.client.session.msg(message_type, content or {})
        start = time.monotonic()
        stream.send(message)
        reply = self._reply(message["header"]["msg_id"], stream, start + limit)
        return reply, time.monotonic() - start

    def kill(self):
        """Ends the process as a power failure would."""
        process = self.process
        os.kill(process, signal.SIGKILL)
        self.manager.provisioner.process.wait(SOON)
        self.stop()

    def stop(self):
        """Shuts the kernel down as a client does; returns the seconds that it took."""
        start = time.monotonic()
        if self.log_file.closed:
            return 0
        self.client.stop_channels()
        self.manager.shutdown_kernel()
        self.manager.context.destroy(linger=0)
        self.log_file.close()
        return time.monotonic() - start


class TimedCase(unittest.TestCase):
    """A test that fails, and does not hang, after `limit` seconds."""

    limit = TEST

    def setUp(self):
        def stop(*_):
            raise AssertionError(f"the test took more than {self.limit} s")

        signal.signal(signal.SIGALRM, stop)
        signal.alarm(self.limit)
        self.addCleanup(signal.alarm, 0)

    def folder(self):
        """An empty folder for this test."""
        return pathlib.Path(tempfile.mkdtemp(dir=HOME / "work"))

    def kernel(self, **options):
        """A kernel that ends with this test."""
        kernel = Kernel(**options)
        self.addCleanup(kernel.stop)
        return kernel


class KernelCase(TimedCase):
    """Tests that share one kernel without a workspace."""

    @classmethod
    def setUpClass(cls):
        cls.k = Kernel()
        cls.addClassCleanup(cls.k.stop)
