"""Chromium without a window, driven through its pipe of the DevTools protocol.

The pipe needs nothing but Chromium: messages are JSON, each ends with a zero byte, and go through
the file descriptors 3 and 4 of the browser.
"""

import base64
import json
import os
import select
import shutil
import subprocess

import pytest

PATH = shutil.which("chromium") or shutil.which("google-chrome")
needs_browser = pytest.mark.skipif(PATH is None, reason="there is no Chromium")
SILENCE_S = 120  # only to end a test that hangs
KEYS = {"Tab": 9, "Enter": 13, "Space": 32}


class Browser:
    """A running Chromium; `Page` is a tab of it."""

    def __init__(self, folder):
        from_us, self._to_browser = os.pipe()
        self._from_browser, to_us = os.pipe()
        options = ["--headless", "--no-sandbox", "--disable-gpu", "--remote-debugging-pipe"]
        options += [f"--user-data-dir={folder}", "--force-color-profile=srgb", "--no-first-run"]
        # The shell puts the ends of the pipes where Chromium looks for them.
        command = f'exec "$0" "$@" 3<&{from_us} 4>&{to_us}'
        self._process = subprocess.Popen(
            ["bash", "-c", command, PATH, *options],
            pass_fds=[from_us, to_us],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        os.close(from_us)
        os.close(to_us)
        self._buffer = b""
        self._number = 0
        self.events: list = []

    def call(self, method, session=None, **params):
        """The result of a method of the protocol; events that come before it are kept."""
        self._number += 1
        message = {"id": self._number, "method": method, "params": params}
        if session:
            message["sessionId"] = session
        os.write(self._to_browser, json.dumps(message).encode() + b"\0")
        while True:
            answer = self._next()
            if answer.get("id") == self._number:
                assert "error" not in answer, answer["error"]
                return answer["result"]
            self.events.append(answer)

    def wait_for(self, event, session):
        """The params of the first event of a kind that has not been asked for."""
        while True:
            for i, each in enumerate(self.events):
                if each.get("method") == event and each.get("sessionId") == session:
                    return self.events.pop(i)["params"]
            self.events.append(self._next())

    def _next(self):
        while b"\0" not in self._buffer:
            ready, _, _ = select.select([self._from_browser], [], [], SILENCE_S)
            assert ready, f"Chromium has said nothing for {SILENCE_S} s"
            part = os.read(self._from_browser, 1 << 20)
            assert part, "Chromium ended"
            self._buffer += part
        message, _, self._buffer = self._buffer.partition(b"\0")
        return json.loads(message)

    def close(self):
        self._process.kill()
        self._process.wait()
        os.close(self._to_browser)
        os.close(self._from_browser)


class Tab:
    """A page in a browser.

    Parameters
    ----------
    browser : Browser
    width, height : int, default=1280, 900
        Of the window in CSS pixels.
    is_phone : bool, default=False
        Whether it is a phone with a touch screen.
    dark : bool, default=False
        Whether the reader prefers dark pages.
    """

    def __init__(self, browser, width=1280, height=900, *, is_phone=False, dark=False):
        self._browser = browser
        self._target = browser.call("Target.createTarget", url="about:blank")["targetId"]
        attached = browser.call("Target.attachToTarget", targetId=self._target, flatten=True)
        self._session = attached["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Accessibility"):
            self.call(f"{domain}.enable")
        self.call(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=1,
            mobile=is_phone,
        )
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.call("Emulation.setEmulatedMedia", features=[scheme])

    def call(self, method, **params):
        return self._browser.call(method, self._session, **params)

    def run_first(self, script):
        """Run a script in each page before its own."""
        self.call("Page.addScriptToEvaluateOnNewDocument", source=script)

    def open(self, file):
        """Load a file of the disk, as a reader who opens it does."""
        self.call("Page.navigate", url=file.as_uri())
        self._browser.wait_for("Page.loadEventFired", self._session)

    def value(self, expression):
        """The value of an expression of JavaScript, or of its promise."""
        answer = self.call(
            "Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True
        )
        assert "exceptionDetails" not in answer, answer["exceptionDetails"]
        return answer["result"].get("value")

    def click(self, expression):
        """Click in the middle of an element, by the mouse."""
        script = f"(e => {{ e.scrollIntoView({{block: 'center'}}); return e; }})({expression})"
        x, y = self.value(
            f"(r => [r.x + r.width / 2, r.y + r.height / 2])({script}.getBoundingClientRect())"
        )
        for kind in ("mousePressed", "mouseReleased"):
            options = {"type": kind, "x": x, "y": y, "button": "left", "clickCount": 1}
            self.call("Input.dispatchMouseEvent", **options)

    def press(self, key, n=1):
        """Press a key."""
        text = {"Enter": "\r", "Space": " "}.get(key)
        code = {"key": " " if key == "Space" else key, "code": key}
        code["windowsVirtualKeyCode"] = KEYS[key]
        for _ in range(n):
            down = {"type": "keyDown" if text else "rawKeyDown", **code}
            self.call("Input.dispatchKeyEvent", **down, **({"text": text} if text else {}))
            self.call("Input.dispatchKeyEvent", type="keyUp", **code)

    def screenshot(self, file, whole=True):
        """Write a picture of the page, as PNG."""
        data = self.call("Page.captureScreenshot", format="png", captureBeyondViewport=whole)
        file.write_bytes(base64.b64decode(data["data"]))

    def complaints(self):
        """What the page wrote to the log and the console so far, and its errors."""
        kinds = {"Log.entryAdded", "Runtime.consoleAPICalled", "Runtime.exceptionThrown"}
        return [
            each
            for each in self._browser.events
            if each.get("method") in kinds and each.get("sessionId") == self._session
        ]

    def close(self):
        self._browser.call("Target.closeTarget", targetId=self._target)
