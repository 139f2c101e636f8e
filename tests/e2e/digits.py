"""Ten digits and a scribble: strokes of (x, y) points on a unit square, y down, spaced like a quick hand."""

from math import cos, pi, sin

NAMES = ("Zero", "One", "Two", "Three", "Four", "Five", "Six", "Seven", "Eight", "Nine")

Stroke = list[tuple[float, float]]


def arc(x: float, y: float, rx: float, ry: float, start: float, end: float) -> Stroke:
    """Return points on an ellipse around (x, y), from `start` to `end` degrees: 0 is right, 90 is down."""
    n_points = max(3, round(abs(end - start) / 30))
    angles = [(start + (end - start) * i / n_points) * pi / 180 for i in range(n_points + 1)]
    return [(x + rx * cos(angle), y + ry * sin(angle)) for angle in angles]


DIGITS: dict[int, list[Stroke]] = {
    0: [arc(0.50, 0.50, 0.17, 0.27, -80, 285)],
    1: [[(0.53, 0.23), (0.51, 0.42), (0.49, 0.60), (0.48, 0.78)]],
    2: [[*arc(0.49, 0.37, 0.17, 0.15, -160, 30), (0.55, 0.56), (0.44, 0.67), (0.33, 0.77), (0.50, 0.77), (0.70, 0.76)]],
    3: [[*arc(0.48, 0.37, 0.15, 0.14, -150, 80), *arc(0.48, 0.63, 0.18, 0.14, -80, 150)]],
    4: [
        [(0.40, 0.24), (0.36, 0.38), (0.31, 0.54), (0.50, 0.54), (0.71, 0.53)],
        [(0.60, 0.25), (0.59, 0.45), (0.58, 0.62), (0.57, 0.79)],
    ],
    5: [
        [(0.40, 0.25), (0.38, 0.36), (0.36, 0.47), *arc(0.46, 0.61, 0.18, 0.16, -110, 140)],
        [(0.40, 0.25), (0.52, 0.25), (0.65, 0.24)],
    ],
    6: [[(0.58, 0.22), (0.48, 0.32), (0.40, 0.46), *arc(0.50, 0.64, 0.14, 0.14, 180, -190)]],
    7: [[(0.32, 0.26), (0.50, 0.26), (0.68, 0.25), (0.61, 0.42), (0.53, 0.60), (0.46, 0.79)]],
    8: [
        [
            *arc(0.50, 0.36, 0.13, 0.13, -40, -270),
            *arc(0.50, 0.64, 0.15, 0.15, -90, 270),
            *arc(0.50, 0.36, 0.13, 0.13, 90, -50),
        ]
    ],
    9: [[*arc(0.49, 0.37, 0.14, 0.14, -20, -360), (0.63, 0.42), (0.61, 0.60), (0.57, 0.79)]],
}
