"""The time of day in a picture, as blocks that a program reads back wherever the picture is shown.

Two rows of squares at the top left: the low `BITS` bits of the Unix time in milliseconds, lowest bit first, white for
1; below each square its opposite, so that a picture that is half another one is not taken for a time.
"""

from __future__ import annotations

BITS = 26
"""18.6 hours until the time begins anew."""

_COLUMNS = 40
"""Squares that the picture's width would hold."""


def drawing(rate: int) -> str:
    """Return ffmpeg's filters that draw the time at which each frame of a steady `rate` passes through them."""
    side = f"iw/{_COLUMNS}"
    boxes = [f"drawbox=x=0:y=0:w={BITS}*{side}:h=2*{side}:color=black:t=fill"]
    for bit in range(BITS):
        # half a millisecond more, because t is a floating-point number of seconds
        value = f"mod(floor(floor(t*1000+0.5)/{1 << bit}),2)"
        for row, shown in ((0, value), (1, f"1-{value}")):
            boxes.append(f"drawbox=x={bit}*{side}:y={row}*{side}:w={side}:h={side}:color=white:t=fill:enable='{shown}'")
    return ",".join(["settb=1/1000", "setpts=RTCTIME/1000", *boxes, f"settb=1/{rate}", "setpts=N"])


READ = f"""
(video) => {{
  const side = video.videoWidth / {_COLUMNS}, width = Math.ceil({BITS} * side), height = Math.ceil(2 * side);
  const canvas = window.tripodClock ??= document.createElement("canvas");
  if (!side) return null;
  [canvas.width, canvas.height] = [width, height];
  const context = canvas.getContext("2d", {{ willReadFrequently: true }});
  context.drawImage(video, 0, 0, width, height, 0, 0, width, height);
  const pixels = context.getImageData(0, 0, width, height).data;
  const white = (column, row) =>
    pixels[4 * (Math.floor((row + 0.5) * side) * width + Math.floor((column + 0.5) * side))] > 127;
  let time = 0;
  for (let bit = 0; bit < {BITS}; bit++) {{
    if (white(bit, 0) === white(bit, 1)) return null;
    if (white(bit, 0)) time += 2 ** bit;
  }}
  return time;
}}
"""
"""JavaScript: a function of a video element that returns the time that its picture shows, null where it shows none."""

AGE = f"(time) => (((Date.now() - time) % {1 << BITS}) + {1 << BITS}) % {1 << BITS}"
"""JavaScript: a function of such a time that returns how many milliseconds ago it was."""
