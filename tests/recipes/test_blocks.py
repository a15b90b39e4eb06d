"""Each block of the page for operators is run by a test, or says why not."""

import ast
from pathlib import Path

from tests.recipes.blocks import find_blocks


def blocks_that_tests_run() -> set[tuple[str, int]]:
    """The headings and numbers with which the tests of this folder call `block`."""
    found = set()
    for path in Path(__file__).parent.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "block":
                title, number = [*(ast.literal_eval(each) for each in node.args), 0][:2]
                found.add((title, number))
    return found


def test_each_block_is_run_or_says_why_not() -> None:
    run = blocks_that_tests_run()
    blocks = find_blocks()
    assert len(blocks) > 10
    assert {(each.title, each.number) for each in blocks if not each.reason} == run


def test_each_reason_is_a_sentence() -> None:
    assert all(len(each.reason.split()) > 4 for each in find_blocks() if each.reason)
