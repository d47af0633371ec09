#!/usr/bin/env python3
"""Opens a memo's page in headless Chromium and looks at it.

    page.py CHROMIUM PAGE.html FIGURES [FOLDER]
    page.py CHROMIUM --paper PAGE.html...

Prints "ok NAME" or "not ok NAME: why" for each case. FIGURES is how many pictures the page must
have. With a FOLDER it leaves pictures of the page there (light, dark, phone) and a PDF. --paper looks
at many pages, but at no more than whether they print whole and are accessible.

AXE names the script of axe-core (make deps-page), which looks for what keeps people out.

Chromium is spoken to in its DevTools protocol over two pipes: JSON messages that end in NUL.
"""
import base64
import collections
import html
import json
import os
import pathlib
import re
import select
import shutil
import subprocess
import sys
import tempfile
import time

PATIENCE_S = 60
PHONE = {"width": 390, "height": 844, "deviceScaleFactor": 2, "mobile": True}
DESK = {"width": 1200, "height": 900, "deviceScaleFactor": 1, "mobile": False}
PRINT = {"width": 700, "height": 900, "deviceScaleFactor": 1, "mobile": False}


class Chromium:
    def __init__(self, program, profile):
        from_us, self.write_fd = os.pipe()
        self.read_fd, to_us = os.pipe()

        def pipes():
            # Chromium reads fd 3 and writes fd 4; copies first, for these may be taken.
            reading, writing = os.dup(from_us), os.dup(to_us)
            os.dup2(reading, 3)
            os.dup2(writing, 4)

        command = [program, "--headless=new", "--no-sandbox", "--disable-gpu",
                   "--disable-dev-shm-usage", "--no-first-run", "--disable-background-networking",
                   "--disable-component-update", "--disable-sync", "--disable-extensions",
                   "--remote-debugging-pipe", "--user-data-dir=" + profile, "about:blank"]
        # stdin, stdout and stderr are taken, so the pipes' own ends are above 4 or copied there.
        self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL,
                                        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                                        close_fds=False, preexec_fn=pipes, cwd=profile,
                                        # The path of a socket in it must be short, other than here perhaps.
                                        env=dict(os.environ, TMPDIR="."))
        os.close(from_us)
        os.close(to_us)
        self.buffer, self.events, self.count = b"", [], 0
        self.deadline = time.monotonic() + PATIENCE_S

    def read(self):
        while b"\0" not in self.buffer:
            left = self.deadline - time.monotonic()
            if left <= 0 or not select.select([self.read_fd], [], [], left)[0]:
                raise TimeoutError("Chromium does not answer")
            part = os.read(self.read_fd, 1 << 16)
            if not part:
                raise EOFError("Chromium ended")
            self.buffer += part
        message, self.buffer = self.buffer.split(b"\0", 1)
        return json.loads(message)

    def call(self, method, session=None, **parameters):
        self.count += 1
        message = {"id": self.count, "method": method, "params": parameters}
        if session:
            message["sessionId"] = session
        os.write(self.write_fd, json.dumps(message).encode() + b"\0")
        while True:
            answer = self.read()
            if answer.get("id") == self.count:
                if "error" in answer:
                    raise RuntimeError(method + ": " + answer["error"]["message"])
                return answer["result"]
            self.events.append(answer)

    def wait(self, method):
        while not any(event.get("method") == method for event in self.events):
            self.events.append(self.read())

    def end(self):
        self.process.kill()
        self.process.wait()


class Page:
    def __init__(self, browser, path):
        self.browser = browser
        target = browser.call("Target.createTarget", url="about:blank")["targetId"]
        self.session = browser.call("Target.attachToTarget", targetId=target,
                                    flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.call(domain + ".enable")
        browser.events.clear()
        self.url = pathlib.Path(path).resolve().as_uri()
        self.call("Page.navigate", url=self.url)
        browser.wait("Page.loadEventFired")

    def call(self, method, **parameters):
        return self.browser.call(method, self.session, **parameters)

    def value(self, expression):
        result = self.call("Runtime.evaluate", expression=expression, returnByValue=True,
                           awaitPromise=True)
        if "exceptionDetails" in result:
            raise RuntimeError(result["exceptionDetails"].get("text", "") + ": " + expression)
        return result["result"].get("value")

    def show(self, size, scheme="light", media=""):
        self.call("Emulation.setDeviceMetricsOverride", **size)
        self.call("Emulation.setEmulatedMedia", media=media,
                  features=[{"name": "prefers-color-scheme", "value": scheme}])
        # The new size holds when the next frame has been drawn.
        self.value("new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")

    def picture(self, path):
        data = self.call("Page.captureScreenshot", format="png", captureBeyondViewport=True)
        pathlib.Path(path).write_bytes(base64.b64decode(data["data"]))


FAILED = []


def check(name, good, why=""):
    print(("ok " if good else "not ok ") + name + ("" if good else ": " + str(why)))
    if not good:
        FAILED.append(name)


def complaints(events):
    found = []
    for event in events:
        parameters = event.get("params", {})
        if event.get("method") == "Log.entryAdded":
            found.append(parameters["entry"]["text"])
        elif event.get("method") in ("Runtime.consoleAPICalled", "Runtime.exceptionThrown"):
            found.append(json.dumps(parameters)[:200])
    return found


def requests(events, url):
    sent = [event["params"]["request"]["url"] for event in events
            if event.get("method") == "Network.requestWillBeSent"]
    return [one for one in sent if one != url and not one.startswith("data:")]


# What sticks out to the right of the page and is in no part that scrolls by itself.
OVERFLOW = """(() => {
    const width = document.documentElement.clientWidth, found = [];
    for (const node of document.querySelectorAll('body *')) {
        if (node.closest('svg') || node.parentElement.closest('.scroll, figure, pre')) continue;
        const box = node.getBoundingClientRect();
        if (box.width > 0 && box.right > width + 1) found.push(node.tagName + ' ' + box.right);
    }
    if (document.documentElement.scrollWidth > width) found.push('page ' +
        document.documentElement.scrollWidth);
    return found.join(', ');
})()"""

FIGURES = """[...document.querySelectorAll('figure')].map(figure => {
    const box = figure.querySelector('svg').getBoundingClientRect();
    const bare = !figure.getAttribute('aria-label') || figure.getAttribute('role') !== 'img';
    const marks = figure.querySelectorAll('path, rect, polygon, text').length;
    return bare || marks < 10 ? [0, 0] : [box.width, box.height];
})"""

# The contrast of a text with what is behind it, as WCAG has it; the lowest of the page.
CONTRAST = """(() => {
    const rgb = text => (text.match(/[0-9.]+/g) || [0, 0, 0, 0]).map(Number);
    const light = colour => {
        const part = colour.slice(0, 3).map(v => v / 255).map(v =>
            v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
        return 0.2126 * part[0] + 0.7152 * part[1] + 0.0722 * part[2];
    };
    const behind = node => {
        for (; node; node = node.parentElement) {
            const colour = rgb(getComputedStyle(node).backgroundColor);
            if (colour.length < 4 || colour[3] > 0) return colour;
        }
        return [255, 255, 255];
    };
    let least = 21;
    for (const node of document.querySelectorAll('h1, h2, p, li, b, code, td, th, summary, pre')) {
        const a = light(rgb(getComputedStyle(node).color)), b = light(behind(node));
        least = Math.min(least, (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05));
    }
    return least;
})()"""

NAMES = """(() => {
    const ids = [...document.querySelectorAll('[id]')].map(node => node.id);
    return ids.length - new Set(ids).size;
})()"""


# Words of all cells but those that a reader moves, which are not printed, and how often each is in one.
CELLS = """[...document.querySelectorAll('td, th')].filter(cell => !cell.closest('.applet')).flatMap(cell =>
    cell.textContent.split(/\\s+/).filter(word => word.length > 2))"""


VIOLATIONS = """axe.run(document, {resultTypes: ['violations'] %s}).then(found =>
    found.violations.map(one => one.id + ' (' + one.impact + '): ' + one.nodes[0].html.slice(0, 120)))"""


def check_access(page, name):
    """axe-core finds nothing, and would if there were something."""
    axe = os.environ.get("AXE", "")
    if not os.path.exists(axe):
        print(f"ok {name}: accessible # SKIP no axe-core")
        return
    page.show(DESK)
    page.value("document.querySelectorAll('details').forEach(node => { node.open = true; })")
    page.value(pathlib.Path(axe).read_text() + "; 0")
    page.browser.deadline += PATIENCE_S
    found = page.value(VIOLATIONS % "")
    check(f"{name}: accessible", not found, found)
    page.value("document.body.append(document.createElement('textarea')); 0")
    check(f"{name}: a field without a name would be found", any(
        one.startswith("label (") for one in page.value(VIOLATIONS % ", runOnly: ['label']")), "it is not")
    page.value("document.querySelector('textarea').remove(); 0")


WORDS_MIN = 15  # on a page that is not the last one; figures have words, too


def printed(pdf):
    """The words of each page of a PDF that lie on the paper."""
    found = subprocess.run(["pdftotext", "-bbox", "-", "-"], input=pdf, capture_output=True,
                           check=True).stdout.decode()
    pages = []
    for size, body in re.findall(r"<page ([^>]*)>(.*?)</page>", found, re.S):
        width, height = (float(re.search(side + r'="([0-9.]+)"', size)[1])
                         for side in ("width", "height"))
        pages.append([html.unescape(word) for x0, y0, x1, y1, word in re.findall(
            r'<word xMin="([-0-9.]+)" yMin="([-0-9.]+)" xMax="([-0-9.]+)" yMax="([-0-9.]+)">(.*?)</word>',
            body) if float(x0) >= 0 and float(y0) >= 0 and float(x1) <= width and float(y1) <= height])
    return pages


def check_paper(page, name, width, height):
    """Each word of each cell is on the paper: no column is cut off, and no page is all but blank."""
    if not shutil.which("pdftotext"):
        print(f"ok {name} has all cells # SKIP no pdftotext")
        return
    pdf = base64.b64decode(page.call("Page.printToPDF", printBackground=True, paperWidth=width,
                                     paperHeight=height)["data"])
    pages = printed(pdf)
    text = "".join("".join("".join(words).split()) for words in pages)
    wanted = collections.Counter(page.value(CELLS))
    lost = [word for word, count in wanted.items() if text.count(word) < count]
    # A long word is parted at the end of a line, and what stands beside it comes in between.
    lost = [word for word in lost if any(part not in text for part in re.findall(r"\w+", word))]
    check(f"{name} has all cells", not lost, lost[:10])
    bare = [index + 1 for index, words in enumerate(pages[:-1]) if len(words) < WORDS_MIN]
    check(f"{name} has no blank page", not bare, bare)


FOCUSABLE = """(() => {
    window.reached = new Set();
    document.addEventListener('focusin', event => window.reached.add(event.target));
    return [...document.querySelectorAll('a[href], summary, input, select, button, [tabindex="0"]')]
        .filter(node => node.checkVisibility()).length;
})()"""


def check_keyboard(page):
    """Tab reaches all that can be followed, moved, unfolded or scrolled."""
    wanted = page.value(FOCUSABLE)
    for _ in range(wanted + 1):
        for kind in ("rawKeyDown", "keyUp"):
            page.call("Input.dispatchKeyEvent", type=kind, key="Tab", code="Tab",
                      windowsVirtualKeyCode=9)
    reached = page.value("window.reached.size")
    check("page: reached by keyboard", wanted > 10 and reached >= wanted, f"{reached} of {wanted}")


def check_fit(page, what):
    sticking_out = page.value(OVERFLOW)
    check("page: fits " + what, sticking_out == "", sticking_out)


def look(page, figures, folder):
    events = page.browser.events
    page.show(DESK)
    sizes = page.value(FIGURES)
    check("page: figures", len(sizes) == figures and all(w > 100 and h > 50 for w, h in sizes),
          f"{len(sizes)} of {figures}, sizes {sizes}")
    check("page: names are unique", page.value(NAMES) == 0, "two elements of one id")
    check("page: no script but its own", page.value(
        "[...document.scripts].every(one => !one.src && one.nonce === 's2flush') && "
        "document.scripts.length <= 1"), "there is another")
    check("page: what a reader may move is there", page.value(
        "!document.querySelector('.applet') || !document.querySelector('.applet').hidden"),
          "it is hidden")
    check("page: readable in the light", page.value(CONTRAST) >= 4.5, page.value(CONTRAST))
    check_fit(page, "a desk")
    check_keyboard(page)
    if folder:
        page.picture(folder + "/light.png")
    page.show(DESK, "dark")
    check("page: readable in the dark", page.value(CONTRAST) >= 4.5, page.value(CONTRAST))
    check("page: is dark", page.value(
        "getComputedStyle(document.body).backgroundColor.match(/[0-9]+/g).map(Number)"
        ".every(v => v < 64)"), "the background is not")
    if folder:
        page.picture(folder + "/dark.png")
    page.show(PHONE)
    if folder:
        page.picture(folder + "/phone.png")
    page.value("document.querySelectorAll('details').forEach(node => { node.open = true; })")
    check_fit(page, "a phone, all unfolded")
    wide = page.value("[...document.querySelectorAll('.applet svg')].filter("
                      "one => one.closest('.scroll') || one.getBoundingClientRect().width > innerWidth).length")
    check("page: a curve that moves is no wider than a phone", wide == 0, f"{wide} are")
    small = page.value("Math.min(99, ...[...document.querySelectorAll('.applet svg text')].map("
                       "one => one.getBoundingClientRect().height))")
    check("page: its words can be read on a phone", small >= 11, f"{small} px high")
    wide = page.value("[...document.querySelectorAll('figure')].filter("
                      "one => one.scrollWidth > one.clientWidth).length")
    check("page: a figure is no wider than a phone", wide == 0, f"{wide} are")
    page.value("document.querySelectorAll('details').forEach(node => { node.open = false; })")
    page.show(PRINT, "dark", "print")
    check("page: paper is white", page.value(
        "getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)", "it is not")
    check("page: nothing is folded on paper", page.value(
        "[...document.querySelectorAll('details table')].every(node => node.checkVisibility())"),
        "a table is")
    page.show(DESK)
    pdf = page.call("Page.printToPDF", printBackground=True)["data"]
    check("page: prints", len(pdf) > 10000, f"{len(pdf)} bytes")
    page.value("document.querySelectorAll('details').forEach(node => { node.open = true; })")
    check_paper(page, "page: A4", 8.27, 11.69)
    check_paper(page, "page: Letter", 8.5, 11)
    check_access(page, "page")
    if folder:
        pathlib.Path(folder, "memo.pdf").write_bytes(base64.b64decode(pdf))
    check("page: no complaint", not complaints(events), complaints(events))
    check("page: nothing is fetched", not requests(events, page.url), requests(events, page.url))


def look_at_paper(browser, path):
    browser.deadline += PATIENCE_S
    page = Page(browser, path)
    name = "/".join(path.split("/")[-2:])
    page.value("document.querySelectorAll('details').forEach(node => { node.open = true; })")
    check_paper(page, name + ": A4", 8.27, 11.69)
    check_paper(page, name + ": Letter", 8.5, 11)
    check_access(page, name)
    check(name + ": no complaint", not complaints(browser.events), complaints(browser.events))


def main():
    if sys.argv[2] == "--paper":
        with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
            browser = Chromium(sys.argv[1], profile)
            for path in sys.argv[3:]:
                look_at_paper(browser, path)
            browser.end()
        sys.exit(1 if FAILED else 0)
    program, path, figures = sys.argv[1], sys.argv[2], int(sys.argv[3])
    folder = sys.argv[4] if len(sys.argv) > 4 else None
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        browser = Chromium(program, profile)
        try:
            look(Page(browser, path), figures, folder)
        except (OSError, EOFError, RuntimeError) as error:
            check("page: is opened", False, error)
        finally:
            browser.end()
    sys.exit(1 if FAILED else 0)


if __name__ == "__main__":
    main()
