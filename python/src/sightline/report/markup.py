"""HTML in which nothing of a run is taken for markup."""

from __future__ import annotations

import html

_MOST_CHARACTERS = 300


class Html(str):
    """Text that is markup already; every other text is escaped."""

    __slots__ = ()


def element(tag: str, *content: object, **attributes: object) -> Html:
    """One element.

    Args:
        tag: Its name.
        content: What is in it: Html as it is, everything else escaped.
        attributes: ``class_="bar"`` is ``class="bar"``, ``aria_hidden`` is ``aria-hidden``; one
            that is None is left out.
    """
    given = "".join(
        f' {name.rstrip("_").replace("_", "-")}="{html.escape(str(value))}"'
        for name, value in attributes.items()
        if value is not None
    )
    return Html(f"<{tag}{given}>{join(*content)}</{tag}>")


def join(*content: object) -> Html:
    """Pieces one after another."""
    return Html("".join(p if isinstance(p, Html) else html.escape(str(p)) for p in content))


def foreign(text: object) -> Html:
    """Text of a run: its direction of writing reaches nothing else, and 300 characters are kept."""
    return element("bdi", shorten(str(text), _MOST_CHARACTERS))


def shorten(text: str, characters: int) -> str:
    """The text, its middle left out if it is longer."""
    if len(text) <= characters:
        return text
    half = (characters - 1) // 2
    return f"{text[:half]}…{text[-half:]}"


def section(name: str, title: str, *content: object) -> Html:
    """A part of the page that its navigation can lead to."""
    heading = element("h2", title, id=f"{name}-title")
    return element("section", heading, *content, id=name, aria_labelledby=f"{name}-title")


def bar(*shares: tuple[str, float]) -> Html:
    """A bar of parts beside each other; the numbers stand in a table, so readers skip it.

    Args:
        shares: Class of the part and its width, each a share of the whole width in 0..1.
    """
    x, parts = 0.0, []
    for name, share in shares:
        parts.append(
            element("rect", class_=name, x=f"{x:.2%}", width=f"{share:.2%}", height="100%")
        )
        x += share
    return element("svg", *parts, class_="bar", aria_hidden="true")


def table(caption: str, head: list[object], rows: list[list[object]], *kinds: str) -> Html:
    """A table.

    Args:
        caption: For screen readers.
        head: The columns' names.
        rows: Cells; the first of each row names it.
        kinds: For each column its class: ``text``, ``number`` or ``bars``.
    """
    names = [
        element("th", name, scope="col", class_=kind)
        for name, kind in zip(head, kinds, strict=True)
    ]
    body = [
        element(
            "tr",
            element("th", row[0], scope="row", class_=kinds[0]),
            *(
                element("td", cell, class_=kind)
                for cell, kind in zip(row[1:], kinds[1:], strict=True)
            ),
        )
        for row in rows
    ]
    return element(
        "table",
        element("caption", caption),
        element("thead", element("tr", *names)),
        element("tbody", *body),
    )


def scrolling(content: Html, name: str) -> Html:
    """Content in a box of its own that can be scrolled with the keyboard."""
    return element("div", content, class_="scrolling", tabindex="0", role="region", aria_label=name)
