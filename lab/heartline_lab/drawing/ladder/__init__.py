"""Ladder diagrams: who sent what to whom, time downwards, from one data structure as text and as SVG. Pure."""

from heartline_lab.drawing.ladder.steps import Ladder, Step
from heartline_lab.drawing.ladder.svg import as_svg
from heartline_lab.drawing.ladder.text import as_text

__all__ = ["Ladder", "Step", "as_svg", "as_text"]
