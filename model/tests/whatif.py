#!/usr/bin/env python3
"""Moves the costs of a memo's page in headless Chromium, and has the program play the same.

    whatif.py CHROMIUM PAGE.html S2FLUSH STUDY SETTINGS FOLDER

Prints "ok NAME" or "not ok NAME: why" for each case: at rest what the memo prints; with SETTINGS random
settings of the costs that the page lets move what `s2flush run --set` makes of them.
"""
import csv
import json
import random
import re
import subprocess
import sys
import tempfile

from page import FAILED, Chromium, Page, check, complaints, requests

# A place's strategies with their bands, as text and as numbers.
TABLE = """(set => whatif.page.data.places.map(place =>
    whatif.table(whatif.page, place, place.at, set).rows.map(row => ({
        name: row.run.name, text: whatif.bandText(row.band), mid: row.band.mid,
        p10: row.band.p10, p90: row.band.p90, estimate: row.estimate, shared: !!row.shared,
        off: row.run.off || 0, unknown: row.unknown}))))"""


def printed(memo):
    """The strategies of the memo's table, with the bands in their cells."""
    found = {}
    for line in open(memo):
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
        name = re.match(r"`([^`]*)`( \(Linux\))?$", cells[0])
        if name and len(cells) > 2 and re.match(r"[0-9.]+ [mun]?s", cells[1]):
            found[name[1]] = [cell for cell in cells[1:] if re.match(r"[0-9.]+ [mun]?s( \(|$)", cell)]
    return found


def played(program, study, settings, folder):
    """The rows of the study at these costs, by strategy and leaf size."""
    command = [program, "run", study, "-o", folder, "-q", "--fresh"]
    for name, value in settings.items():
        command += ["--set", f"{name}={value}"]
    subprocess.run(command, check=True)
    with open(folder + "/rows.csv", newline="") as lines:
        return {(row["strategy"], row["backing"]): row for row in csv.DictReader(lines)
                if row["metric"] == "added_boot_ns"}


def digits(value):
    return float(f"{value:.9g}")


def look(page, memo, program, study, count, folder):
    places = page.value("whatif.page.data.places.map(place => place.name)")
    moved = page.value("whatif.page.data.moved")
    wanted = printed(memo)
    rest = page.value(TABLE + "({})")
    wrong = [(name, found["text"], wanted[name]) for index, place in enumerate(rest)
             for found in place for name in [found["name"]]
             if found["text"] != wanted.get(name, {index: found["text"]})[index]]
    check("whatif: at rest what is printed", not wrong and len(wanted) > 3, wrong[:3])
    dice = random.Random(1)
    exact = estimates = unknown = 0
    wrong, worst = [], 0
    for _ in range(count):
        settings = {cost["name"]: float("%.3g" % (cost["low"] * (cost["high"] / cost["low"]) **
                                                  dice.random()))
                    for cost in moved if dice.random() < 0.6 and cost["low"] > 0}
        rows = played(program, study, settings, folder)
        tables = page.value(TABLE + "(" + json.dumps(settings) + ")")
        for place, table in zip(places, tables):
            backing = "thp" if "2 MiB" in place else "4k"
            for found in table:
                row = rows[found["name"], backing]
                if found["unknown"]:
                    unknown += 1
                    continue
                if found["estimate"]:
                    estimates += 1
                    error = abs(found["mid"] / float(row["p50"]) - 1)
                    worst = max(worst, error if not found["shared"] else 0)
                    # What the page says of its estimates is of draws, which move every cost.
                    if not found["shared"] and error > 2 * found["off"] + 0.02:
                        wrong.append((settings, found, row["p50"]))
                else:
                    exact += 1
                    if any(digits(found[a]) != digits(float(row[b]))
                           for a, b in (("mid", "p50"), ("p10", "p10"), ("p90", "p90"))):
                        wrong.append((settings, found, row["p10"], row["p50"], row["p90"]))
    check(f"whatif: {count} settings as the program has them", not wrong, wrong[:2])
    check("whatif: most are exact", exact >= 10 * count, (exact, estimates))
    print(f"# {exact} exact, {estimates} estimates, {unknown} not known, the worst {100 * worst:.1f} % off")
    drawn = page.value("document.querySelector('#whatif table').textContent")
    page.value("(input => { input.value = 1; input.dispatchEvent(new Event('input')); })"
               "(document.querySelector('#whatif input'))")
    check("whatif: a slider changes the table", drawn != page.value(
        "document.querySelector('#whatif table').textContent"), "it does not")
    check("whatif: says so in a command", " --set " in page.value(
        "document.querySelector('#whatif').lastChild.textContent"), "it does not")
    page.value("document.querySelector('#whatif button').click()")
    check("whatif: and back", drawn == page.value(
        "document.querySelector('#whatif table').textContent"), "it is not")


def main():
    chromium, path, program, study, count, folder = sys.argv[1:]
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        browser = Chromium(chromium, profile)
        browser.deadline += 240
        try:
            page = Page(browser, path)
            look(page, path.replace(".html", ".md"), program, study, int(count), folder)
            check("whatif: no complaint", not complaints(browser.events), complaints(browser.events))
            check("whatif: nothing is fetched", not requests(browser.events, page.url),
                  requests(browser.events, page.url))
        except (OSError, EOFError, RuntimeError) as error:
            check("whatif: is opened", False, error)
        finally:
            browser.end()
    sys.exit(1 if FAILED else 0)


if __name__ == "__main__":
    main()
