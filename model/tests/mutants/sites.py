"""Where a C file can be changed into a mutant, and how.

Works on tokens, not on a syntax tree: comments, strings and preprocessor lines
are passed over, and so is what an INVARIANT, an error message or a text buffer
says. Some mutants therefore do not compile; whoever tries them counts them apart.
"""

import re
from dataclasses import dataclass

TOKEN = re.compile(
    r"""(?P<skip>/\*.*?\*/|//[^\n]*|^[ \t]*\#(?:\\\n|[^\n])*)
      | (?P<text>"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])+')
      | (?P<number>\.?[0-9](?:[eEpP][+-]|[0-9a-zA-Z_.])*)
      | (?P<name>[A-Za-z_][A-Za-z0-9_]*)
      | (?P<op><<=|>>=|->|\+\+|--|<<|>>|<=|>=|==|!=|&&|\|\||[-+*/%&|^]=|[-+*/%&|^~!<>=?:;,.(){}\[\]])
    """, re.VERBOSE | re.DOTALL | re.MULTILINE)

# Their arguments are words for people, hints to the compiler, or what must hold in any case. A free that is missing is for
# the leak sanitizer to find, not for a test of costs.
SILENT = {"INVARIANT", "free", "json_decref", "error_input", "error_run", "error_fatal", "error_suggest", "snprintf", "fprintf",
          "u64_overflowed", "sizeof", "offsetof", "UINT64_C", "UINT32_C", "invariant_clock",
          "__asm__",
          # Rooms, and those of arrays that are declared: a larger one changes nothing that the program says, so that it
          # is no wrong model; a smaller one is written past its end, which the address sanitizer finds where a test
          # comes to the end, and no test of figures can.
          "alloc_zeroed", "alloc_raw", "alloc_checked"}

SWAPS = {"<": ("<=", ">="), "<=": ("<", ">"), ">": (">=", "<="), ">=": (">", "<"),
         "==": ("!=",), "!=": ("==",), "&&": ("||",), "||": ("&&",),
         "+": ("-",), "-": ("+",), "*": ("/",), "/": ("*",), "%": ("*",),
         "+=": ("-=",), "-=": ("+=",), "*=": ("/=",), "/=": ("*=",),
         "++": ("--",), "--": ("++",), "<<": (">>",), ">>": ("<<",),
         "&": ("|",), "|": ("&",)}
BORDERS = {"<": ("<=",), "<=": ("<",), ">": (">=",), ">=": (">",)}
BEFORE_SIDES = ("=", "?", ":", ";", ",", "return", "&&", "||", "{", "}")
KINDS = {"<": "relation", "<=": "relation", ">": "relation", ">=": "relation", "==": "relation",
         "!=": "relation", "&&": "logic", "||": "logic"}
NAMES = {"true": "false", "false": "true"}
KEYWORDS = {"if", "else", "while", "for", "do", "switch", "case", "default", "return", "goto",
            "static", "const", "struct", "enum", "union", "unsigned", "int", "char", "bool",
            "double", "void", "size_t", "typedef", "extern"}


@dataclass(frozen=True)
class Token:
    kind: str
    text: str
    start: int
    line: int


@dataclass(frozen=True)
class Mutant:
    path: str
    line: int
    kind: str
    start: int
    end: int
    found: str
    put: str

    def apply(self, text):
        return text[:self.start] + self.put + text[self.end:]

    def describe(self):
        found = " ".join(self.found.split())
        put = " ".join(self.put.split()) or "nothing"
        return f"{self.path}:{self.line}: {self.kind}: {found} -> {put}"


def tokens_of(text):
    tokens, line, at = [], 1, 0
    for match in TOKEN.finditer(text):
        line += text.count("\n", at, match.start())
        at = match.start()
        if match.lastgroup != "skip":
            tokens.append(Token(match.lastgroup, match.group(), at, line))
    return tokens


def closing(tokens, opening):
    """The index of what closes the bracket at that index."""
    depth = 0
    for i in range(opening, len(tokens)):
        if tokens[i].text in "([{":
            depth += 1
        elif tokens[i].text in ")]}":
            depth -= 1
            if depth == 0:
                return i
    return len(tokens) - 1


def opening(tokens, closing):
    """The index of what opens the bracket that closes at that index."""
    depth = 0
    for i in range(closing, -1, -1):
        depth += (tokens[i].text in ")]}") - (tokens[i].text in "([{")
        if depth == 0:
            return i
    return 0


def declares_array(tokens, i):
    """Whether that bracket is of an array's declaration: a type's name stands before its own, or a star behind one. So
    does what was declared before it, with a comma between, and the brackets of its other dimensions."""
    if i < 3:
        return False
    if tokens[i - 1].text == "]":
        return declares_array(tokens, opening(tokens, i - 1))
    if tokens[i - 1].kind != "name":
        return False
    before = tokens[i - 2]
    if before.text == ",":
        return tokens[i - 3].text == "]" and declares_array(tokens, opening(tokens, i - 3))
    if before.text == "*":
        return tokens[i - 3].text in ("const", "char", "double", "void") or tokens[i - 4].text == "struct"
    return before.kind == "name" and before.text not in ("return", "case", "else")


def silent_tokens(tokens):
    """The indices of tokens that are left alone."""
    silent = set()
    for i, token in enumerate(tokens[:-1]):
        if token.text in SILENT and tokens[i + 1].text == "(":
            silent.update(range(i, closing(tokens, i + 1) + 1))
        elif token.text == "[" and declares_array(tokens, i):
            silent.update(range(i, closing(tokens, i) + 1))
        elif token.text == "char" and tokens[i + 1].kind == "name":
            end = i
            while tokens[end].text not in ";,)={":
                silent.add(end)
                end += 1
    return silent


def spelled(tokens, begin, end):
    return [token.text for token in tokens[begin:end]]


def chooses(tokens, i):
    """Whether that relation chooses one of its own sides, the smaller or the larger: `a < b ? a : b`, or
    `if (a < b) { a = b; }`. Where they are equal it is all the same which."""
    begin, depth = i, 0
    while begin > 0 and depth >= 0 and tokens[begin].text not in BEFORE_SIDES:
        begin -= 1
        depth += (tokens[begin].text in ")]") - (tokens[begin].text in "([")
    left = spelled(tokens, begin + 1, i)
    ends, depth, at = [], 0, i + 1
    while at < len(tokens) and len(ends) < 3:
        text = tokens[at].text
        closes = depth == 0 and text in ")];,"
        if text in ("{", "}") or closes or (depth == 0 and text == ("?", ":", ";")[len(ends)]):
            ends.append(at)
            if closes or text in ("{", "}"):
                break
        depth += (text in "([") - (text in ")]")
        at += 1
    if len(ends) == 3:
        sides = left, spelled(tokens, i + 1, ends[0])
        chosen = spelled(tokens, ends[0] + 1, ends[1]), spelled(tokens, ends[1] + 1, ends[2])
        return chosen in (sides, sides[::-1])
    if len(ends) != 1 or tokens[begin - 1].text != "if" or spelled(tokens, ends[0], ends[0] + 2) != [")", "{"]:
        return False
    right, body = spelled(tokens, i + 1, ends[0]), spelled(tokens, ends[0] + 2, closing(tokens, ends[0] + 1))
    return body in (left + ["="] + right + [";"], right + ["="] + left + [";"])


def is_binary(tokens, i):
    before = tokens[i - 1]
    return before.kind in ("number", "name") and before.text not in ("return", "case") or \
        before.text in (")", "]")


def depths(tokens):
    """How many braces of a function's body each token stands in; 0 outside."""
    found, depth, inside = [], 0, []
    for i, token in enumerate(tokens):
        if token.text == "{":
            inside.append(depth > 0 or tokens[i - 1].text == ")")
            depth += inside[-1]
        found.append(depth)
        if token.text == "}" and inside:
            depth -= inside.pop()
    return found


def blocks(text):
    """Where blocks begin and end whose first statement runs whenever anything in them does: functions' bodies, and
    what is under if, else, while, do and for. What follows a switch's brace never runs; a literal's is no block."""
    tokens = tokens_of(text)
    depth, opened, found = depths(tokens), [], []
    for i, token in enumerate(tokens):
        if token.text in "([{":
            opened.append(i)
        if token.text in ")]}" and opened:
            begin = opened.pop()
            if token.text == ")" and i + 1 < len(tokens) and tokens[i + 1].text == "{":
                before = tokens[begin - 1].text
                body = depth[i] == 0 and depth[i + 1] == 1
                if body or before in ("if", "while", "for"):
                    found.append(i + 1)
        if token.text in ("else", "do") and tokens[i + 1].text == "{":
            found.append(i + 1)
    return [(tokens[i].start, tokens[closing(tokens, i)].start) for i in sorted(found)]


def swapped(path, tokens, i):
    token = tokens[i]
    unary = token.text in ("+", "-", "*", "&") and not is_binary(tokens, i)
    if unary or token.text not in SWAPS:
        return
    for put in SWAPS[token.text]:
        if put in BORDERS.get(token.text, ()) and chooses(tokens, i):
            continue
        yield Mutant(path, token.line, KINDS.get(token.text, "arithmetic"), token.start,
                     token.start + len(token.text), token.text, put)


def renumbered(path, token):
    match = re.fullmatch(r"(0x[0-9a-fA-F]+|[0-9]+)([uUlL]*)", token.text)
    if not match:
        return
    value, suffix = int(match.group(1), 0), match.group(2)
    for put in (value + 1, value - 1):
        if put >= 0:
            yield Mutant(path, token.line, "constant", token.start,
                         token.start + len(token.text), token.text, f"{put}{suffix}")


def negated(path, text, tokens, i):
    end = closing(tokens, i + 1)
    start, stop = tokens[i + 1].start + 1, tokens[end].start
    yield Mutant(path, tokens[i].line, "condition", start, stop, text[start:stop],
                 f"!({text[start:stop]})")


def deleted(path, text, tokens, i):
    """The expression statement that begins at that token, if one does."""
    if tokens[i - 1].text not in ";{}" or tokens[i].text in KEYWORDS or \
            tokens[i].text in SILENT or tokens[i].text.endswith("_free") or tokens[i + 1].kind == "name":
        return
    if tokens[i].kind != "name" and tokens[i].text not in ("++", "--", "*"):
        return
    end, depth = i, 0
    while tokens[end].text != ";" or depth:
        depth += (tokens[end].text in "([{") - (tokens[end].text in ")]}")
        end += 1
        if end == len(tokens) or depth < 0:
            return
    words = [token.text for token in tokens[i:end]]
    if words in (["break"], ["continue"]) or "=" in words or words[-1] in (")", "++", "--") or \
            any(word.endswith("=") for word in words):
        # A declaration says a type and a name, or a pointer's star between the two.
        if len(words) > 2 and words[1] == "*" and words[0] != "*":
            return
        start, stop = tokens[i].start, tokens[end].start
        yield Mutant(path, tokens[i].line, "statement", start, stop, text[start:stop], "")


def branches(path, text, tokens, i):
    """`a ? b : c` with b and c in each other's place."""
    ends, depth, nested = [], 0, 0
    for j in range(i + 1, len(tokens)):
        word = tokens[j].text
        depth += (word in "([{") - (word in ")]}")
        nested += word == "?"
        if depth < 0 or depth == 0 and word in ";,":
            ends.append(j)
            break
        if depth == 0 and word == ":":
            if nested == 0 and not ends:
                ends.append(j)
            nested -= 1
    if len(ends) != 2:
        return
    start, colon, stop = tokens[i].start + 1, tokens[ends[0]].start, tokens[ends[1]].start
    one, other = text[start:colon], text[colon + 1:stop]
    yield Mutant(path, tokens[i].line, "branches", start, stop, f"{one}:{other}",
                 f" ({other}) : ({one})")


def mutants_of(path, text):
    """All mutants of a file, in the order of its text."""
    tokens = tokens_of(text)
    silent, depth = silent_tokens(tokens), depths(tokens)
    for i, token in enumerate(tokens):
        if i in silent or i == 0 or i + 1 == len(tokens):
            continue
        if token.kind == "number":
            yield from renumbered(path, token)
        if depth[i] == 0:
            continue
        if token.kind == "op":
            yield from swapped(path, tokens, i)
        if token.text == "?":
            yield from branches(path, text, tokens, i)
        if token.text == "!":
            yield Mutant(path, token.line, "condition", token.start, token.start + 1, "!", "")
        if token.text in ("if", "while") and tokens[i + 1].text == "(":
            yield from negated(path, text, tokens, i)
        if token.text in NAMES:
            yield Mutant(path, token.line, "constant", token.start,
                         token.start + len(token.text), token.text, NAMES[token.text])
        yield from deleted(path, text, tokens, i)
