"""What clients rely on and jupyter_kernel_test does not ask: errors, order, interrupts, threads."""

import os
import signal
import time
import unittest

from support import SOON, KernelCase, is_running, note, wait_until

MODEL = "load model default"


class ExecutionTests(KernelCase):
    """Single cells."""

    def test_order_of_messages(self):
        """busy, execute_input, the outputs in order, idle; and the reply after the outputs."""
        code = "plot [1, 2, 3]\n6 * 7\nplot [3, 2]\n8"
        done = self.k.run(code)
        self.assertEqual(
            done.types, ["status", "execute_input", "display_data", "display_data",
                         "display_data", "execute_result", "status"])
        self.assertEqual(done.published[0]["content"]["execution_state"], "busy")
        self.assertEqual(done.text, "8")
        last = done.published[-2]["header"]["date"]
        self.assertLessEqual(last, done.reply_message["header"]["date"])
        self.assertEqual(done.published[1]["content"]["code"], code)

    def test_several_mistakes_give_one_error(self):
        """A cell with many mistakes publishes exactly one error, and the reply says the same."""
        for code in ("1 +\nload nothing\nx = )", "nosuch + 1\nnosuch + 2", "a = [1,\nb = ]",
                     "load model no/such/file", "x = )"):
            with self.subTest(code=code):
                done = self.k.run(code)
                errors = done.contents("error")
                self.assertEqual(len(errors), 1)
                self.assertEqual(done.contents("stream"), [])
                self.assertEqual(done.reply["status"], "error")
                for key in ("ename", "evalue", "traceback"):
                    self.assertEqual(done.reply[key], errors[0][key])
                self.assertTrue(errors[0]["evalue"])

    def test_outputs_before_an_error_stay(self):
        done = self.k.run("6 * 7\nnosuch")
        self.assertIn("42", done.texts)
        self.assertEqual(len(done.contents("error")), 1)

    def test_silent_shows_and_counts_nothing(self):
        before = self.k.run("1").reply["execution_count"]
        done = self.k.run("silently = 5\nplot [1, 2]", silent=True)
        self.assertEqual(done.types, ["status", "status"])
        self.assertEqual(self.k.run("silently").text, "5")
        self.assertEqual(self.k.run("1").reply["execution_count"], before + 2)

    def test_store_history_false_does_not_count(self):
        before = self.k.run("1").reply["execution_count"]
        done = self.k.run("77 + 1", store_history=False)
        self.assertEqual(done.text, "78")
        self.assertEqual(self.k.run("1").reply["execution_count"], before + 1)
        history, _ = self.k.ask("history_request", {
            "hist_access_type": "tail", "n": 50, "output": False, "raw": True})
        self.assertNotIn("77 + 1", [entry[2] for entry in history["content"]["history"]])

    def test_user_expressions(self):
        """Each has its own value or its own error, beside a cell without outputs."""
        done = self.k.run("y = 3", user_expressions={
            "good": "y * 2", "bad": "nosuch", "broken": "1 +", "table": "[[1, 2], [3, 4]]"})
        values = done.reply["user_expressions"]
        self.assertEqual(done.reply["status"], "ok")
        self.assertEqual(values["good"]["data"]["text/plain"], "6")
        for name in ("bad", "broken"):
            self.assertEqual(values[name]["status"], "error", name)
            self.assertTrue(values[name]["evalue"])
        self.assertEqual(values["table"]["status"], "ok")
        self.assertEqual(done.contents("error"), [])

    def test_stop_on_error(self):
        """Cells that wait after a failed one are refused, unless they do not ask for it."""
        # The first cell takes a moment, so that the others have arrived when it fails.
        slow = "load model default\npropose about=summaries count=6\nnosuch"
        self.k.run("stopped = 0")
        requests = [self.k.send(code, stop_on_error=stop) for code, stop in (
            (slow, True), ("stopped = 1", True), ("stopped + 10", False))]
        first, second, third = (self.k.collect(request) for request in requests)
        self.assertEqual(first.reply["status"], "error")
        self.assertEqual(second.reply["status"], "error")
        self.assertIn("not run", second.reply["evalue"])
        self.assertEqual(third.text, "10")
        requests = [self.k.send(slow, stop_on_error=False), self.k.send("stopped = 2")]
        self.assertEqual(
            [self.k.collect(request).reply["status"] for request in requests], ["error", "ok"])

    def test_requests_on_their_way(self):
        """A cell that was sent before the failure, and arrives after it, is refused; one that was
        sent after it runs."""
        session = self.k.client.session
        content = {"code": "1 + 1", "silent": False, "store_history": True,
                   "user_expressions": {}, "allow_stdin": False, "stop_on_error": True}
        on_its_way = session.msg("execute_request", content)
        self.assertEqual(self.k.run("nosuch").reply["status"], "error")
        self.k.client.shell_channel.send(on_its_way)
        refused = self.k.collect(on_its_way["header"]["msg_id"])
        self.assertEqual(refused.reply["status"], "error")
        self.assertIn("not run", refused.reply["evalue"])
        self.assertEqual(self.k.run("nosuch").reply["status"], "error")
        self.assertEqual(self.k.run("6 * 7").text, "42")

    def test_requests_without_code_are_not_refused(self):
        """Completion and inspection work although a cell before them failed."""
        failing = self.k.send("nosuch")
        reply, _ = self.k.ask("complete_request", {"code": "rollo", "cursor_pos": 5})
        self.assertIn("rollout", reply["content"]["matches"])
        self.k.collect(failing)

    def test_an_empty_cell(self):
        for code in ("", "\n\n", "# a remark"):
            done = self.k.run(code)
            self.assertEqual(done.types, ["status", "execute_input", "status"])
            self.assertEqual(done.reply["status"], "ok")

    def test_a_large_cell(self):
        """A megabyte of remarks."""
        done = self.k.run("# " + "é" * 500_000 + "\n6 * 7")
        self.assertEqual(done.text, "42")

    def test_help_goes_to_the_pager(self):
        done = self.k.run("help rollout")
        self.assertEqual([page["source"] for page in done.reply["payload"]], ["page"])
        self.assertEqual(done.types, ["status", "execute_input", "status"])

    def test_unknown_requests_do_nothing(self):
        self.k.client.shell_channel.send(self.k.client.session.msg("no_such_request", {}))
        self.assertEqual(self.k.run("6 * 7").text, "42")

    def test_comm_info(self):
        reply, _ = self.k.ask("comm_info_request")
        self.assertEqual(reply["content"], {"status": "ok", "comms": {}})


class CursorTests(KernelCase):
    """Positions count Unicode scalars, wherever bytes and UTF-16 count otherwise."""

    before = {
        "emoji": "# 🧪🧪🧪", "family": "# 👩‍👩‍👧‍👦",
        "combining": "# e\u0301e\u0301", "hebrew": "# שלום",
        "arabic": "# مرحبا\u200f", "flag": "# 🇩🇪", "plain": "# abc"}

    def test_complete(self):
        for name, remark in self.before.items():
            with self.subTest(name):
                code = f"{remark}\nrollo + 1"
                cursor = len(remark) + 1 + 5
                reply, _ = self.k.ask("complete_request", {"code": code, "cursor_pos": cursor})
                content = reply["content"]
                self.assertIn("rollout", content["matches"])
                self.assertEqual(
                    code[content["cursor_start"]:content["cursor_end"]], "rollo")
                for item in content["metadata"]["_jupyter_types_experimental"]:
                    self.assertEqual((item["start"], item["end"]), (cursor - 5, cursor))
                    self.assertTrue(item["type"])

    def test_inspect(self):
        for name, remark in self.before.items():
            with self.subTest(name):
                code = f"{remark}\nrollout\nscore"
                start = len(remark) + 1
                for cursor in (start + 1, start + 7):
                    reply, _ = self.k.ask(
                        "inspect_request",
                        {"code": code, "cursor_pos": cursor, "detail_level": 0})
                    self.assertIn(
                        "samples a response", reply["content"]["data"]["text/plain"])
                reply, _ = self.k.ask(
                    "inspect_request", {"code": code, "cursor_pos": start + 8 + 2})
                self.assertIn("log-prob", reply["content"]["data"]["text/plain"])

    def test_every_position(self):
        """Each position of a text of many kinds of characters, and some outside of it."""
        code = 'x = "👩‍👩‍👧 e\u0301 שלום"\nrollout temperature=1 '
        for cursor in [-5, *range(len(code) + 3), 10 ** 9, 2 ** 63 - 1]:
            for request in ("complete_request", "inspect_request"):
                reply, _ = self.k.ask(request, {"code": code, "cursor_pos": cursor})
                content = reply["content"]
                self.assertEqual(content["status"], "ok")
                if request == "complete_request":
                    start, end = content["cursor_start"], content["cursor_end"]
                    self.assertTrue(0 <= start <= end <= len(code), (cursor, start, end))

    def test_values_and_keys(self):
        """Names of values complete and are described; keys of a verb complete with a summary."""
        self.k.run("wanted_value = [1, 2, 3]")
        reply, _ = self.k.ask("complete_request", {"code": "wanted_v", "cursor_pos": 8})
        self.assertEqual(reply["content"]["matches"], ["wanted_value"])
        reply, _ = self.k.ask("inspect_request", {"code": "wanted_value", "cursor_pos": 3})
        self.assertTrue(reply["content"]["found"])
        reply, _ = self.k.ask("complete_request", {"code": "rollout temp", "cursor_pos": 12})
        self.assertIn("temperature=", reply["content"]["matches"])
        reply, _ = self.k.ask("inspect_request", {"code": "zzzz", "cursor_pos": 2})
        self.assertEqual(reply["content"]["found"], False)
        self.assertEqual(reply["content"]["data"], {})


class ComputingTests(KernelCase):
    """A kernel that computes still answers."""

    def setUp(self):
        super().setUp()
        self.assertEqual(self.k.run(MODEL).reply["status"], "ok")
        self.assertEqual(self.k.run("propose about=summaries count=6").reply["status"], "ok")

    def compute(self):
        """Starts work of many seconds; returns once it shows its progress."""
        request = self.k.send("iterate 3")
        self.k.wait_for("display_data", request)
        return request

    def interrupt(self):
        return self.k.ask("interrupt_request", channel="control")

    def test_interrupt_by_message(self):
        """The cell is an error of kind `interrupted`, the next one is refused, then all works."""
        request = self.compute()
        second = self.k.send("after = 1")
        reply, answered = self.interrupt()
        start = time.monotonic()
        self.assertEqual(reply["content"], {"status": "ok"})
        first = self.k.collect(request, SOON)
        note(f"interrupt: answered after {1000 * answered:.0f} ms, "
             f"the cell's reply {time.monotonic() - start:.2f} s later")
        self.assertEqual(first.reply["status"], "error")
        self.assertEqual(first.reply["ename"], "interrupted")
        self.assertEqual(len(first.contents("error")), 1)
        self.assertEqual(self.k.collect(second).reply["status"], "error")
        self.assertEqual(self.k.run("6 * 7").text, "42")
        self.assertEqual(self.k.run("after").reply["status"], "error")

    def test_interrupt_by_signal(self):
        """A console sends SIGINT to its kernel."""
        request = self.compute()
        os.kill(self.k.process, signal.SIGINT)
        self.assertEqual(self.k.collect(request, SOON).reply["ename"], "interrupted")
        self.assertEqual(self.k.run("6 * 7").text, "42")

    def test_interrupt_without_work(self):
        """An interrupt stops nothing that comes after it."""
        for _ in range(5):
            self.interrupt()
            self.assertEqual(self.k.run("6 * 7").text, "42")

    def test_answers_while_computing(self):
        """kernel_info on control, and the heartbeat."""
        request = self.compute()
        times = []
        for _ in range(5):
            reply, seconds = self.k.ask("kernel_info_request", channel="control")
            self.assertEqual(reply["content"]["language_info"]["name"], "sami")
            times.append(seconds)
        self.assertLess(max(times), 2)
        self.assertTrue(self.k.client.hb_channel.is_beating())
        note(f"kernel_info while computing: {1000 * max(times):.0f} ms at most")
        self.interrupt()
        self.k.collect(request, SOON)

    def test_progress_is_one_display(self):
        """One output that changes, at most ten times a second, and no progress in the reply."""
        start = time.monotonic()
        done = self.k.run("iterate 1 steps=8 queries=24 accumulate=8")
        seconds = time.monotonic() - start
        self.assertEqual(done.reply["status"], "ok")
        shown = [m for m in done.published if "display_id" in m["content"].get("transient", {})]
        names = {m["content"]["transient"]["display_id"] for m in shown}
        self.assertEqual(len(names), 1)
        self.assertEqual([m["msg_type"] for m in shown].count("display_data"), 1)
        self.assertLessEqual(len(shown), 10 * seconds + 2)

    def test_is_complete_is_fast(self):
        """A console gives up for good after one second."""
        samples = {
            "x = [1,": "incomplete", "1": "complete", "x = )": "invalid",
            "x = [" + "1, " * 10_000: "incomplete", "(" * 5_000: None}
        for code, wanted in samples.items():
            reply, seconds = self.k.ask("is_complete_request", {"code": code})
            self.assertLess(seconds, 1)
            if wanted:
                self.assertEqual(reply["content"]["status"], wanted, code[:20])


class EndTests(KernelCase):
    """The end of a kernel that computes."""

    def test_shutdown_while_computing(self):
        """The reply comes at once, and the process ends by itself before clients send SIGTERM."""
        kernel = self.kernel()
        kernel.run(MODEL)
        kernel.run("propose about=summaries count=6")
        request = kernel.send("iterate 3")
        kernel.wait_for("display_data", request)
        process, start = kernel.process, time.monotonic()
        reply, answered = kernel.ask("shutdown_request", {"restart": False}, channel="control")
        self.assertEqual(reply["content"], {"status": "ok", "restart": False})
        kernel.manager.provisioner.process.wait(SOON)
        seconds = time.monotonic() - start
        note(f"shutdown while computing: answered after {1000 * answered:.0f} ms, "
             f"ended after {seconds:.2f} s")
        self.assertFalse(is_running(process))
        self.assertLess(seconds, 2.5)

    def test_quit_ends_the_kernel(self):
        """`quit` replies and asks the client to go; the process ends, but not before a client
        that looks whether it lives has read the reply."""
        kernel = self.kernel()
        process = kernel.process
        done = kernel.run("quit")
        self.assertEqual([page["source"] for page in done.reply["payload"]], ["ask_exit"])
        time.sleep(0.3)
        kernel.ask("kernel_info_request", channel="control")
        wait_until(lambda: kernel.manager.provisioner.process.poll() is not None)
        self.assertFalse(is_running(process))

    def test_terminate(self):
        kernel = self.kernel()
        os.kill(kernel.process, signal.SIGTERM)
        self.assertEqual(kernel.manager.provisioner.process.wait(SOON), 0)


if __name__ == "__main__":
    unittest.main()
