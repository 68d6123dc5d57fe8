"""The bodies in which the RM API refuses: three shapes, because its gateway and its parts do not agree on one.

A client has to understand all of them.
"""

from __future__ import annotations

from service.sandbox.exchange import Reply, json_reply


def gateway_refusal(status: int, message: str) -> Reply:
    """What the gateway in front says: a missing key, a spent quota."""
    return json_reply(status, {"message": message})


def refusal(status: int, code: int, message: str) -> Reply:
    """The usual body, in lower case."""
    return json_reply(status, {"errors": [{"code": code, "message": message, "subcode": 0}]})


def capital_refusal(status: int, code: int, message: str) -> Reply:
    """The other casing, which is found where something does not exist."""
    return json_reply(status, {"Errors": [{"Code": code, "Message": message, "SubCode": 0}]})
