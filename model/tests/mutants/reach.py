"""Which blocks of the code each test comes to: one that never comes to a mutant cannot see it.

The files that mutants are made of are compiled once with a mark at the beginning
of every block (sites.blocks), and each test runs once against a library of these.
A mark sets a byte of a table that is a file, so that it survives a crash.
"""

import hashlib
import re
import subprocess
import sys

from sites import blocks

TABLE = """#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
static unsigned char nowhere[SIZE];
POINTERS
__attribute__((constructor)) static void reach_open(void)
{
    const char *path = getenv("REACH_TABLE");
    int fd = path ? open(path, O_RDWR) : -1;
    unsigned char *table = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (table == MAP_FAILED) {
        return;
    }
    SETTINGS
}
"""


class Reach:
    def __init__(self, build, texts, folder):
        self.build, self.texts, self.folder = build, texts, folder / "reach"
        self.tables = build.folder / "reach"
        self.tables.mkdir(exist_ok=True)
        self.blocks = {path: blocks(text) for path, text in texts.items()}
        self.base, self.size = {}, 0
        for path, found in self.blocks.items():
            self.base[path] = self.size
            self.size += len(found)
        self.reached = {}

    # --- the library with marks ---

    @staticmethod
    def pointer(path):
        return "reach_" + re.sub(r"\W", "_", path)

    def marked(self, path):
        text, name = self.texts[path], self.pointer(path)
        for number, (start, _) in reversed(list(enumerate(self.blocks[path]))):
            mark = f" extern unsigned char *{name}; {name}[{number}] = 1; "
            text = text[:start + 1] + mark + text[start + 1:]
        return text

    def objects(self):
        """One for each file, kept by its text and by the object without marks, which knows its headers."""
        instead = {}
        for path in self.texts:
            text = self.marked(path)
            plain = self.build.object_of(path).read_bytes()
            key = hashlib.sha256(path.encode() + text.encode() + plain).hexdigest()[:16]
            out = self.tables / f"{key}.o"
            if not out.exists():
                part = self.tables / f"{key}.part"
                if not self.build.compile(path, text, part):
                    sys.exit(f"{path} does not compile with marks")
                part.rename(out)
            instead[self.build.object_of(path)] = out
        return instead

    def library(self):
        self.folder.mkdir()
        pointers = "\n".join(f"unsigned char *{self.pointer(path)} = nowhere;" for path in self.texts)
        settings = "\n    ".join(f"{self.pointer(path)} = table + {self.base[path]};" for path in self.texts)
        table = TABLE.replace("SIZE", str(self.size)).replace("POINTERS", pointers).replace("SETTINGS", settings)
        if not self.build.compile("reach.c", table, self.folder / "table.o"):
            sys.exit("the table of marks does not compile")
        instead = self.objects()
        self.build.objects.append(self.folder / "table.o")
        self.build.library(self.folder / "libs2flush.so", instead)
        self.build.objects.pop()

    # --- what a test reaches ---

    def begin(self, key):
        """The folder of the library with marks, and the file in which a test's are set."""
        if not self.folder.exists():
            self.library()
        table = self.tables / key
        table.write_bytes(bytes(self.size))
        return self.folder, table

    def take(self, program, key):
        self.reached[program] = (self.tables / key).read_bytes()

    def may_see(self, program, mutant):
        """By the innermost block; what stands in none, such as a table, is seen by all."""
        inside = [number for number, (start, end) in enumerate(self.blocks[mutant.path])
                  if start < mutant.start < end]
        return not inside or self.reached[program][self.base[mutant.path] + inside[-1]] != 0
