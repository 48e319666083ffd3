"""Tells schemathesis what the formats of openapi.json look like, and how lines are written and read."""

import json
from urllib.parse import quote

import schemathesis
from hypothesis import strategies as st

text = st.text(max_size=20).map(lambda s: quote(s, safe=" !$&'()*+-./:;<>?@^_`|~"))
word = st.from_regex(r"[a-z]{1,8}", fullmatch=True)

schemathesis.openapi.format("percent-encoded", text.map(str.strip))
schemathesis.openapi.format(
    "manifold-id",
    st.one_of(
        word,
        st.integers(0, 2**64 - 1).map("ulong:{}".format),
        st.uuids().map("uuid:{}".format),
    ),
)
schemathesis.openapi.format(
    "manifold-properties",
    st.dictionaries(word, text.map(lambda s: quote(s, safe="%")), min_size=1, max_size=4).map(
        lambda d: ", ".join(f"{name}={value}" for name, value in d.items())
    ),
)
schemathesis.openapi.format(
    "jms-selector",
    st.one_of(
        st.integers(-9, 9).map("size > {}".format),
        word.map("colour = '{}'".format),
        st.lists(word, min_size=1, max_size=3).map(lambda w: f"colour IN ({', '.join(map(repr, w))}) OR size IS NULL"),
        word.map("NOT (colour LIKE '{}%' AND JMSPriority BETWEEN 2 AND 7)".format),
    ),
)


@schemathesis.serializer("application/x-ndjson")
def lines(context, value):
    """Writes each of a list as a line."""
    values = value if isinstance(value, list) else [value]
    return "".join(json.dumps(v) + "\n" for v in values).encode()


@schemathesis.deserializer("application/x-ndjson")
def from_lines(context, response):
    """Reads a list; an empty line is a sign of life."""
    return [json.loads(line) for line in response.content.splitlines() if line]
