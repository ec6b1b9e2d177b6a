"""Drive a headless Chromium by its debugging pipe: open a page, run a script in it, see errors and requests."""

import base64
import json
import os
import shutil
import subprocess
from contextlib import contextmanager
from pathlib import Path

import pytest

_NAMES = ("chromium", "chromium-browser", "google-chrome")
CHROMIUM = next((found for name in _NAMES if (found := shutil.which(name))), None)
NODE = shutil.which("node")
_SWITCHES = ("--headless", "--no-sandbox", "--disable-gpu", "--remote-debugging-pipe", "--no-first-run", "--mute-audio")

needs_node = pytest.mark.skipif(NODE is None, reason="needs node")


class Page:
    """A page that is open; `errors` are those of its console, `requests` what it has asked the network for."""

    def __init__(self, process, commands, answers):
        self._process, self._commands, self._answers = process, commands, answers
        self._number, self._session = 0, None
        self.errors, self.requests = [], []

    def call(self, method, **parameters):
        self._number += 1
        message = {"id": self._number, "method": method, "params": parameters}
        if self._session:
            message["sessionId"] = self._session
        self._commands.write(json.dumps(message).encode() + b"\0")
        self._commands.flush()
        while True:
            answer = self._read()
            if answer.get("id") == self._number:
                assert "error" not in answer, answer
                return answer["result"]
            self._event(answer)

    def _read(self):
        data = bytearray()
        while (byte := self._answers.read(1)) != b"\0":
            assert byte, "the browser has ended"
            data += byte
        return json.loads(data)

    def _event(self, event):
        parameters = event.get("params", {})
        match event.get("method"):
            case "Runtime.exceptionThrown":
                self.errors.append(parameters["exceptionDetails"].get("exception", {}).get("description"))
            case "Runtime.consoleAPICalled" if parameters["type"] == "error":
                self.errors.append(str(parameters["args"]))
            case "Network.requestWillBeSent":
                self.requests.append(parameters["request"]["url"])

    def open(self, path, width=1000, height=900, dark=False):
        if self._session is None:
            target = self.call("Target.createTarget", url="about:blank")["targetId"]
            self._session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
            for domain in ("Runtime", "Network", "Page"):
                self.call(f"{domain}.enable")
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.call("Emulation.setEmulatedMedia", features=[scheme])
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)
        self.call("Page.navigate", url=Path(path).resolve().as_uri())
        self.run("new Promise((done) => document.readyState === 'complete' ? done() : addEventListener('load', done))")

    def run(self, script):
        """Return the value of an expression of JavaScript, for which a promise is waited."""
        result = self.call("Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True)
        assert "exceptionDetails" not in result, result["exceptionDetails"].get("exception", {}).get("description")
        return result["result"].get("value")

    def screenshot(self, path):
        Path(path).write_bytes(base64.b64decode(self.call("Page.captureScreenshot")["data"]))


@contextmanager
def browser(profile):
    """Start Chromium with its own folder `profile`; skips the test where there is none."""
    if CHROMIUM is None:
        pytest.skip("needs Chromium")
    (read_commands, write_commands), (read_answers, write_answers) = os.pipe(), os.pipe()
    # The browser reads commands from descriptor 3 and writes answers to 4.
    shell = f'exec "$0" "$@" 3<&{read_commands} 4>&{write_answers}'
    arguments = ["bash", "-c", shell, CHROMIUM, *_SWITCHES, f"--user-data-dir={profile}"]
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    with subprocess.Popen(arguments, pass_fds=(read_commands, write_answers), **quiet) as process:
        os.close(read_commands)
        os.close(write_answers)
        with os.fdopen(write_commands, "wb") as commands, os.fdopen(read_answers, "rb") as answers:
            page = Page(process, commands, answers)
            try:
                yield page
                page._session = None
                page.call("Browser.close")
            finally:
                process.kill()
