"""What others wrote, such as a server's comments, on its way to a terminal."""

import unicodedata

# what moves the cursor, sets colours, turns the direction of writing, or cannot be seen
UNSEEN = ("Cc", "Cf", "Cs", "Zl", "Zp")


def visible(text: str) -> str:
    """The text with its control characters written as escapes, in one line."""
    if text.isprintable():
        return text
    return "".join(
        letter.encode("unicode_escape").decode("ascii")
        if unicodedata.category(letter) in UNSEEN
        else letter
        for letter in text
    )


def visible_lines(text: str) -> str:
    """The same, but for line breaks."""
    return "\n".join(map(visible, text.split("\n")))
