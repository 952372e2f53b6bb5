"""jupyter_kernel_test's own class, whole, and its test of iopub's welcome."""

import unittest

import jupyter_kernel_test

import support  # Installs the kernel for this process.


class SamiKernelTests(jupyter_kernel_test.KernelTests):
    """Execution, completion, inspection, history, the pager, errors and displays."""

    kernel_name = "sami"
    language_name = "sami"
    file_extension = ".sami"
    completion_samples = [
        {"text": "rollo", "matches": {"rollout"}}, {"text": "load mo"}, {"text": "help nat"}]
    complete_code_samples = ["1", "x = 2", "load model default", "", "for i in [1,2] { i }"]
    incomplete_code_samples = ["x = [1,", "for i in [1,2] {", 'x = "abc', "rollout \\"]
    invalid_code_samples = ["load nothing", "x = )"]
    code_page_something = "help rollout"
    code_generate_error = "nosuchname + 1"
    code_execute_result = [
        {"code": "6*7", "result": "42"}, {"code": "[1,2]", "result": "[1, 2]"},
        {"code": "tensor([[1,2],[3,4]])", "mime": "text/html"}]
    code_display_data = [{"code": "plot [1,2,3]", "mime": "image/svg+xml"}]
    code_history_pattern = "6?*"
    supported_history_operations = ("tail", "range", "search")
    code_inspect_sample = "rollout"

    @unittest.skip("the language has no statement that writes to a stream")
    def test_execute_stdout(self):
        pass

    @unittest.skip("the language has no statement that writes to a stream")
    def test_execute_stderr(self):
        pass

    @unittest.skip("the language has no statement that clears outputs")
    def test_clear_output(self):
        pass


class SamiWelcomeTests(jupyter_kernel_test.IopubWelcomeTests):
    """A subscriber hears that its subscription has arrived."""

    kernel_name = "sami"
    support_iopub_welcome = True


if __name__ == "__main__":
    unittest.main()
