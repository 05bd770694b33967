"""The font that workers draw text with; they need a file, wherever they run."""

from pathlib import Path

FONT = Path(__file__).with_name("DejaVuSans-Bold.ttf")
