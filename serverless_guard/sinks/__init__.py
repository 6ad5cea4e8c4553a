"""What a handler may do wrong while it runs: one kind of act a file.

A member is a module with

    EVENTS   names of the audit events (PEP 578) that it judges, and of no others
    read(event, args)         the call behind an event, as plain values, or None where there is nothing to judge
    judge(call, rules, ...)   what is wrong with the call, or None

Both run inside the process's one audit hook, so they obey its rules: no global, no closure (what they use stands in positional
defaults), exact types, no call into the watched code's objects, no import or log line on the usual way.
https://docs.python.org/3/library/audit_events.html
"""

from __future__ import annotations

SINKS = {
    "network": "outbound calls: names before they are looked up, addresses when they are connected to",
    "http": "the line of a request and the name in a TLS handshake, where the client shows them",
}
"""Name of each member, and what it watches. `clients` makes clients show what Python does not."""
