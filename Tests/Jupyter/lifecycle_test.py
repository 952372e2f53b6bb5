"""Many kernels, started, stopped and killed: no orphan, no stale lock, no lost value.

SAMI_MANY=1 starts 200 kernels and kills 50; the default is a few of each.
"""

import os
import pathlib
import random
import statistics
import time
import unittest

from support import HOME, Kernel, TimedCase, is_running, note

MANY = os.environ.get("SAMI_MANY", "") not in ("", "0")
STARTS, KILLS, SEED = (200, 50, 20261126) if MANY else (5, 4, 20261126)


def kernels_of_this_test():
    """Processes of kernels whose connection file lies in this test's home."""
    found = []
    for folder in pathlib.Path("/proc").glob("[0-9]*"):
        try:
            arguments = (folder / "cmdline").read_bytes()
        except OSError:
            continue
        if b"kernel\0run" in arguments and str(HOME).encode() in arguments:
            found.append(int(folder.name))
    return [process for process in found if is_running(process)]


def started(notebook, times):
    """A kernel of the notebook; adds the seconds of its start."""
    start = time.monotonic()
    kernel = Kernel(notebook=notebook)
    times.append(time.monotonic() - start)
    return kernel


class LifecycleTests(TimedCase):
    limit = 1200 if MANY else 120

    def tearDown(self):
        self.assertEqual(kernels_of_this_test(), [])

    def test_start_and_stop(self):
        """Each kernel keeps one more value in the same workspace."""
        notebook = self.folder() / "lesson.ipynb"
        starts, stops = [], []
        for number in range(STARTS):
            kernel = started(notebook, starts)
            try:
                if number:
                    self.assertEqual(kernel.run("kept").text, str(number - 1))
                done = kernel.run(f"kept = {number}")
                self.assertEqual(done.reply["status"], "ok")
                self.assertEqual(done.contents("stream"), [])
            finally:
                stops.append(kernel.stop())
        note(f"{STARTS} kernels: start {statistics.median(starts):.2f} s, at most {max(starts):.2f}; "
             f"stop {statistics.median(stops):.2f} s, at most {max(stops):.2f}")

    def test_kill(self):
        """Each kernel is killed at a random moment of a computation, or while it writes."""
        draw = random.Random(SEED)
        notebook = self.folder() / "lesson.ipynb"
        starts = []
        for number in range(KILLS):
            kernel = started(notebook, starts)
            try:
                if number:
                    done = kernel.run("kept")
                    self.assertEqual(done.text, str(number - 1))
                    self.assertNotIn("read-only", done.texts)
                else:
                    kernel.run("load model default\npropose about=summaries count=6")
                self.assertEqual(kernel.run(f"kept = {number}").reply["status"], "ok")
                if number % 2:
                    kernel.send("iterate 3")
                else:
                    for value in range(50):
                        kernel.send(f"last = {value}")
                time.sleep(draw.random())
            finally:
                kernel.kill()
        kernel = self.kernel(notebook=notebook)
        self.assertEqual(kernel.run("kept").text, str(KILLS - 1))
        self.assertEqual(kernel.run("verify").reply["status"], "ok")
        kernel.stop()
        note(f"{KILLS} kernels killed: next start {statistics.median(starts):.2f} s, at most "
             f"{max(starts):.2f}; seed {SEED}")


if __name__ == "__main__":
    unittest.main()
