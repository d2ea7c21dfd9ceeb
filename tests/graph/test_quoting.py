from edgeworthy.graph.quoting import one_line, quoted, quoted_list


def test_a_long_name_is_cut() -> None:
    assert quoted("a" * 100) == f"`{'a' * 60}...`"


def test_bytes_and_control_characters_become_printable() -> None:
    assert quoted(b"ok\xff") == "`ok\\xff`"
    assert quoted("two\nlines\x1b[31m") == "`two\\nlines\\x1b[31m`"


def test_a_short_list_is_shown_whole_and_a_long_one_is_counted() -> None:
    assert quoted_list(["x", "y"]) == "`x`, `y`"
    assert quoted_list([f"t{i}" for i in range(9)]) == "`t0`, `t1`, `t2`, `t3`, `t4` and 4 more"


def test_a_foreign_error_becomes_one_short_line() -> None:
    assert one_line(ValueError("a\n  b\x00.")) == "a b\\x00"
    assert one_line("x" * 500, longest=10) == "x" * 10
