"""The workspace of a notebook: who writes it, and what of it survives the end of a kernel."""

import signal
import subprocess
import sys
import unittest

from support import SOON, TimedCase, is_running, note, wait_until


class WorkspaceTests(TimedCase):
    """One workspace beside each notebook."""

    def test_beside_the_notebook(self):
        """A server names the notebook; lesson.ipynb keeps its values in lesson.samiws."""
        folder = self.folder()
        kernel = self.kernel(notebook=folder / "lesson.ipynb")
        kernel.run("kept = [1, 2]")
        self.assertTrue((folder / "lesson.samiws").is_dir())

    def test_nothing_without_a_notebook(self):
        """A console keeps nothing."""
        folder = self.folder()
        kernel = self.kernel(folder=folder)
        kernel.run("kept = [1, 2]")
        self.assertEqual(list(folder.iterdir()), [])

    def test_a_second_kernel_only_reads(self):
        """It says so in its first output, changes nothing, and sees the values."""
        notebook = self.folder() / "lesson.ipynb"
        first = self.kernel(notebook=notebook)
        first.run("kept = [1, 2]")
        second = self.kernel(notebook=notebook)
        done = second.run("kept")
        self.assertEqual(done.text, "[1, 2]")
        notices = done.contents("stream")
        self.assertEqual(len(notices), 1)
        self.assertRegex(notices[0]["text"], "read")
        self.assertEqual(second.run("kept").contents("stream"), [])
        self.assertEqual(first.run("kept").contents("stream"), [])
        second.run("kept = 5")
        self.assertEqual(first.run("kept").text, "[1, 2]")
        second.stop()
        first.stop()
        third = self.kernel(notebook=notebook)
        done = third.run("kept")
        self.assertEqual((done.text, done.contents("stream")), ("[1, 2]", []))

    def test_restart_keeps_values(self):
        notebook = self.folder() / "lesson.ipynb"
        kernel = self.kernel(notebook=notebook)
        kernel.run('kept = "שלום"')
        process = kernel.process
        kernel.manager.restart_kernel()
        kernel.client.wait_for_ready(timeout=SOON)
        self.assertNotEqual(kernel.process, process)
        done = kernel.run("kept")
        self.assertEqual(done.text, "שלום")
        self.assertEqual(done.contents("stream"), [])
        self.assertEqual(done.reply["execution_count"], 1)

    def test_kill(self):
        """A kernel that is killed while it computes loses no value of a finished statement."""
        notebook = self.folder() / "lesson.ipynb"
        kernel = self.kernel(notebook=notebook)
        kernel.run("load model default\npropose about=summaries count=6\nkept = [1, 2]")
        request = kernel.send("iterate 3")
        kernel.wait_for("display_data", request)
        kernel.kill()
        after = self.kernel(notebook=notebook)
        done = after.run("kept\n")
        self.assertEqual(done.text, "[1, 2]")
        self.assertNotIn("read-only", done.texts)
        self.assertEqual(after.run("kept = 3\nkept").text, "3")
        self.assertEqual(after.run("verify").reply["status"], "ok")

    def test_the_client_is_killed(self):
        """A kernel whose client is gone ends by itself."""
        script = (
            "import jupyter_client, time\n"
            "manager = jupyter_client.KernelManager(kernel_name='sami')\n"
            "manager.start_kernel()\n"
            "client = manager.blocking_client()\n"
            "client.start_channels()\n"
            "client.wait_for_ready(timeout=20)\n"
            "print(manager.provisioner.process.pid, flush=True)\n"
            "time.sleep(100)\n")
        client = subprocess.Popen(
            [sys.executable, "-c", script], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
            cwd=self.folder(), text=True)
        self.addCleanup(client.stdout.close)
        process = int(client.stdout.readline())
        self.assertTrue(is_running(process))
        client.send_signal(signal.SIGKILL)
        client.wait(SOON)
        seconds = wait_until(lambda: not is_running(process))
        note(f"a kernel without its client ended after {seconds:.1f} s")

    def test_a_named_workspace(self):
        """`kernel install --workspace` keeps all notebooks in one workspace."""
        folder = self.folder()
        kernel = self.kernel(folder=folder, arguments=["--workspace", str(folder / "all.samiws")])
        kernel.run("kept = 1")
        self.assertTrue((folder / "all.samiws").is_dir())


if __name__ == "__main__":
    unittest.main()
