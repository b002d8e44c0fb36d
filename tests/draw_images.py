"""Draw the README's pictures anew, from a mirror: python tests/draw_images.py ibl.duckdb [FONTS].

They go to `analyses/images`. FONTS is a folder of fonts, for letters that those of this machine
lack.
"""

import io
import sys
from pathlib import Path

import vl_convert
from PIL import Image

from analyses import gallery
from mirror import connect

FOLDER = gallery.FOLDER / "images"

if __name__ == "__main__":
    database, *fonts = sys.argv[1:]
    for folder in fonts:
        vl_convert.register_font_directory(folder)
    with connect(database) as connection:
        for name in gallery.names():
            drawn = vl_convert.vegalite_to_png(gallery.draw(connection, name).to_dict(), scale=1)
            picture = Image.open(io.BytesIO(drawn)).convert("RGB")
            # few colours are enough for lines and letters, and a fifth of the bytes
            file = Path(FOLDER / f"{name}.png")
            picture.quantize(128, dither=Image.Dither.NONE).save(file, optimize=True)
            print(file.name, file.stat().st_size)
