#!/usr/bin/env python3
"""Counts how easy this repository is to move into.

    python3 tests/house/figures.py [FOLDER] [--json]

FOLDER is a checkout of Halftone, by default the one that this script is in. What a build or a package manager made does not count.
FigureTests holds the goals of these figures as ceilings; CONTRIBUTING.md explains them.

References between C# files are found by name: a file refers to another if it names one of its top-level types or extension
methods and can see its namespace. Comments and string literals do not count. Two types of one name in one namespace, and
members that `var` brings in without a name, are the limits of this method.
"""

import collections
import json
import os
import pathlib
import re
import sys

LONGEST_LINE = 140
MADE = {".git", ".vs", ".idea", "artifacts", "bin", "obj", "node_modules", "Generated"}
TYPE = re.compile(
    r"^(?:(?:public|internal|private|sealed|static|abstract|partial|readonly|ref|unsafe|file)\s+)*"
    r"(?:class|record\s+struct|record\s+class|record|struct|interface|enum|delegate\s+[\w<>\[\],?.]+)\s+(\w+)", re.M)
EXTENSION = re.compile(r"static\s+[\w<>\[\](),?. ]+?\s(\w+)(?:<[\w, ]+>)?\(\s*this\s")
EXTENSION_BLOCK_MEMBER = re.compile(r"^ {8}public\s+(?:static\s+)?(?:async\s+)?[\w<>\[\](),?. ]+?\s(\w+)(?:<[\w, ]+>)?\(", re.M)
EVENT = re.compile(r"\[LoggerMessage\(\s*(?:EventId\s*=\s*)?(\d+)")


class Source:
    """A C# file: its namespace, what it defines and what it names."""

    def __init__(self, path, text):
        self.path, self.text = path, text
        self.code = without_comments_and_literals(text)
        found = re.search(r"^namespace\s+([\w.]+)\s*;", self.code, re.M)
        self.namespace = found.group(1) if found else ""
        self.types = set(TYPE.findall(self.code))
        self.extensions = set(EXTENSION.findall(self.code))
        if re.search(r"^\s*extension\s*[<(]", self.code, re.M):
            self.extensions |= set(EXTENSION_BLOCK_MEMBER.findall(self.code))
        parts = self.namespace.split(".")
        self.visible = {".".join(parts[:length]) for length in range(1, len(parts) + 1)}
        self.visible |= set(re.findall(r"^(?:global )?using\s+(?:static\s+)?(?:\w+\s*=\s*)?([\w.]+)\s*;", self.code, re.M))
        # Without a name before the dot; what follows a dot is a member, or the end of a qualified name.
        self.names = set(re.findall(r"(?<![.\w])[A-Z]\w*", self.code))
        self.qualified = set(re.findall(r"(?<![\w.])((?:[A-Z]\w*\.)+)([A-Z]\w*)", self.code))
        self.calls = set(re.findall(r"\.(\w+)(?:<[\w, ]+>)?\(", self.code))

    @property
    def folder(self):
        """The folder below the project: `Fetch`, or the project's own name for its root."""
        parts = self.path.split("/")
        return f"{parts[1]}/{parts[2]}" if len(parts) > 3 else parts[1]


def without_comments_and_literals(text):
    """Literals become empty; the holes of an interpolated one are kept, for they are code."""
    def literal(match):
        if match.group(1) is None:
            return " "
        return " ".join(re.findall(r"\{([^{}\"]+)\}", match.group(0))) if "$" in match.group(1) else '""'

    return re.sub(
        r'//[^\n]*|/\*.*?\*/|([$@]*)(?:"{3,}.*?"{3,}|"(?:\\.|[^"\\\n])*"|(?<=@)"(?:[^"]|"")*")|\'(?:\\.|[^\'\\\n])+\'', literal, text, flags=re.S)


def references(sources):
    """The files that each file refers to."""
    by_type, by_extension = collections.defaultdict(list), collections.defaultdict(list)
    for source in sources:
        for name in source.types:
            by_type[name].append(source)
        for name in source.extensions:
            by_extension[name].append(source)
    graph = {source.path: set() for source in sources}
    for source in sources:
        for name in source.names & by_type.keys():
            graph[source.path] |= {other.path for other in by_type[name] if other.namespace in source.visible}
        for prefix, name in source.qualified:
            ends = {f"{outer}.{prefix[:-1]}" for outer in source.visible} | {prefix[:-1]}
            graph[source.path] |= {other.path for other in by_type.get(name, ()) if other.namespace in ends}
        for name in source.calls & by_extension.keys():
            if len(by_extension[name]) == 1 and by_extension[name][0].namespace in source.visible:
                graph[source.path].add(by_extension[name][0].path)
        graph[source.path].discard(source.path)
    return graph


def circles(graph):
    """The strongly connected components (Tarjan), largest first."""
    order, low, stack, on_stack, found = {}, {}, [], set(), []

    def visit(node):
        order[node] = low[node] = len(order)
        stack.append(node)
        on_stack.add(node)
        for other in sorted(graph[node]):
            if other not in order:
                visit(other)
                low[node] = min(low[node], low[other])
            elif other in on_stack:
                low[node] = min(low[node], order[other])
        if low[node] == order[node]:
            circle = []
            while not circle or circle[-1] != node:
                circle.append(stack.pop())
                on_stack.discard(circle[-1])
            found.append(sorted(circle))

    sys.setrecursionlimit(10_000)
    for node in sorted(graph):
        if node not in order:
            visit(node)
    return sorted(found, key=len, reverse=True)


def mutual_folders(sources, graph):
    """Pairs of folders of which each refers to the other."""
    folder_of = {source.path: source.folder for source in sources}
    edges = {(folder_of[a], folder_of[b]) for a, others in graph.items() for b in others}
    return sorted(f"{a} <-> {b}" for a, b in edges if a < b and (b, a) in edges)


def settings(sources):
    """Public settable properties of the classes that are bound to a configuration section."""
    found = []
    for source in sources:
        if re.search(r"\bsealed (?:partial )?class \w+Options\b", source.code):
            found += [f"{source.path}: {name}" for name in re.findall(
                r"^\s*public\s+(?!static|const)[\w<>\[\](),?. ]+?\s(\w+)\s*\{\s*get;\s*(?:set|init);", source.code, re.M)]
    return found


def events(sources):
    """Every file and line of a log event id."""
    found = collections.defaultdict(list)
    for source in sources:
        for match in EVENT.finditer(source.text):
            found[int(match.group(1))].append(f"{source.path}:{source.text.count(chr(10), 0, match.start()) + 1}")
    return found


def figures(root):
    """The figures, each a number or a list of what was counted."""
    texts = {}
    for folder, inner, names in os.walk(root):
        inner[:] = sorted(set(inner) - MADE)
        for path in (pathlib.Path(folder, name) for name in sorted(names) if name.endswith((".cs", ".md"))):
            texts[path.relative_to(root).as_posix()] = path.read_text("utf-8-sig")
    code = {path: text for path, text in texts.items() if path.endswith(".cs")}
    sources = [Source(path, text) for path, text in code.items() if path.startswith("src/")]
    graph = references(sources)
    found = circles({path: graph[path] & graph.keys() for path in graph})
    product = {path: text for path, text in code.items() if path.startswith("src/")}
    by_id = events(sources)
    lengths = {path: len(text.splitlines()) for path, text in code.items()}
    longest = max(lengths, key=lengths.get)
    image_run = [length for path, length in lengths.items() if path.endswith("/ImageRun.cs")]
    return {
        "files": len(sources),
        "largest_circle": found[0] if len(found[0]) > 1 else [],
        "mutual_folders": mutual_folders(sources, graph),
        "long_lines": [f"{path}:{number}" for path, text in code.items()
                       for number, line in enumerate(text.splitlines(), 1) if len(line) > LONGEST_LINE],
        "sql_aliases": sum(len(re.findall(r"\b\w+ AS [A-Z]\w+", text)) for text in product.values()),
        "forgiven_connections": sum(text.count("transaction.Connection!") for text in product.values()),
        "string_states": sum(len(re.findall(r'"(?:completed|failed|cancelled)"\s+or\s+"', text)) for text in product.values()),
        "settings": settings(sources),
        "doubled_event_ids": [f"{number}: {', '.join(places)}" for number, places in sorted(by_id.items()) if len(places) > 1],
        "event_ids_by_folder": {folder: [min(ids), max(ids)] for folder, ids in sorted(ids_by_folder(by_id).items())},
        "document_words": sum(len(text.split()) for path, text in texts.items() if path.endswith(".md")),
        "longest_file": lengths[longest],
        "longest_file_is": longest,
        "image_run_lines": image_run[0] if image_run else 0,
    }


def ids_by_folder(by_id):
    found = collections.defaultdict(set)
    for number, places in by_id.items():
        for place in places:
            found["/".join(place.split("/")[1:3])].add(number)
    return found


def main(arguments):
    folders = [argument for argument in arguments if not argument.startswith("--")]
    counted = figures(pathlib.Path(folders[0] if folders else pathlib.Path(__file__).resolve().parents[2]))
    if "--json" in arguments:
        print(json.dumps(counted))
        return
    for name, value in counted.items():
        print(f"{name.replace('_', ' '):22} {len(value) if isinstance(value, list) else value}")


if __name__ == "__main__":
    main(sys.argv[1:])
