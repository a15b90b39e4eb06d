from chatroom.base.later import later


def test_it_is_looked_up_at_each_call() -> None:
    functions = {"now": str.upper}
    call = later(lambda: functions["now"])
    assert call("a") == "A"
    functions["now"] = str.title
    assert call("a b") == "A B"
