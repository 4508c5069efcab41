#!/usr/bin/env python3
# SPDX-License-Identifier: AGPL-3.0-or-later
"""Compares the #includes in src/ with the DEPENDS of the CMake libraries, and those with the layers of the architecture.

The layers: core <- content <- net <- database, blob, bus <- features <- app. The three seams never include each other,
a feature only those before it in FEATURES, `client` the first three and database, `testing` anything left of the features.
"""
import re
import sys
from pathlib import Path

SRC = Path(__file__).resolve().parent.parent / "src"
SEAMS = ["database", "blob", "bus"]
BASE = ["core", "content", "net"]
FEATURES = ["schema", "access", "storage", "auth", "sync", "sharing", "search", "admin"]
TEST_FILE = re.compile(r"_[a-z0-9]*test\.cpp$|_benchmark\.cpp$|_contract\.[ch]pp$|_fixture\.hpp$")


def layers_below(folder):
    """The folders that `folder` may depend on; a seam's driver belongs to its seam."""
    top = folder.split("/")[0]
    if top in BASE:
        return BASE[: BASE.index(top)]
    if top in SEAMS:
        return BASE + [top]
    if top == "features":
        name = folder.split("/")[1] if "/" in folder else None
        earlier = FEATURES[: FEATURES.index(name)] if name in FEATURES else FEATURES
        return BASE + SEAMS + [f"features/{other}" for other in earlier]
    return {
        "testing": BASE + SEAMS,
        "client": BASE + ["database"],
        "app": BASE + SEAMS + ["features", "client"],
    }.get(top, [])


def is_within(folder, parents):
    return any(folder == parent or folder.startswith(parent + "/") for parent in parents)


def libraries():
    """{folder: (depends, test_depends)} from every clouddocs_library() call."""
    found = {}
    for file in SRC.rglob("CMakeLists.txt"):
        text = re.sub(r"#.*", "", file.read_text())
        for call in re.findall(r"clouddocs_library\(([^)]*)\)", text):
            words, key, lists = call.split(), None, {}
            for word in words[1:]:
                if word.isupper() and "." not in word:
                    key = word
                else:
                    lists.setdefault(key, []).append(word)
            found[words[0]] = (lists.get("DEPENDS", []), lists.get("TEST_DEPENDS", []))
    return found


def closure(folder, graph):
    seen, todo = set(), [folder]
    while todo:
        for other in graph.get(todo.pop(), ([], []))[0]:
            if other not in seen:
                seen.add(other)
                todo.append(other)
    return seen


def home(path, graph):
    """The library a path of src/ belongs to: the longest folder that is one."""
    folders = [str(parent) for parent in Path(path).parents]
    return next((folder for folder in folders if folder in graph), None)


def edges(graph):
    """(file, library, included library) for every #include of a project header from another library."""
    for file in sorted([*SRC.rglob("*.cpp"), *SRC.rglob("*.hpp")]):
        name = str(file.relative_to(SRC))
        for included in re.findall(r'^\s*#\s*include\s+"([^"]+)"', file.read_text(), re.M):
            target = home(included, graph) if (SRC / included).exists() else None
            if target and target != home(name, graph):
                yield name, home(name, graph), target


def problems(graph):
    for folder, (depends, _) in graph.items():
        for other in depends:
            if other not in graph:
                yield f"src/{folder}: DEPENDS names {other}, which is no library"
            elif not is_within(other, layers_below(folder)):
                yield f"src/{folder}: may not depend on {other} (layers)"
    for name, folder, target in edges(graph):
        is_test = TEST_FILE.search(name) is not None
        allowed = closure(folder, graph)
        if is_test and folder in graph:
            for other in graph[folder][1]:
                allowed |= {other} | closure(other, graph)
        if folder is None:
            yield f"src/{name}: belongs to no clouddocs_library()"
        elif target not in allowed:
            yield f"src/{name}: includes {target}, which DEPENDS of {folder} does not name"


def main():
    if not SRC.is_dir():
        return 0
    found = sorted(set(problems(libraries())))
    print("\n".join(found))
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
