"""One more argument for a call, in the way in which the call is laid out."""

from __future__ import annotations

import libcst as cst


def appended(call: cst.Call, added: cst.Arg) -> cst.Call:
    """The call with another argument at its end, on a line of its own where the others have lines of their own."""
    if not call.args:
        return call.with_changes(args=[added])
    broken = isinstance(call.whitespace_before_args, cst.ParenthesizedWhitespace)
    gap = call.whitespace_before_args if broken else cst.SimpleWhitespace(" ")
    kept = call.args[-1]
    last = added.with_changes(comma=kept.comma, whitespace_after_arg=kept.whitespace_after_arg)
    before = kept.with_changes(comma=cst.Comma(whitespace_after=gap), whitespace_after_arg=cst.SimpleWhitespace(""))
    return call.with_changes(args=[*call.args[:-1], before, last])
