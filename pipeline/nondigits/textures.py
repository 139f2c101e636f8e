"""Noise, textures and blank paper. Training and test have different generators.

All functions return pictures of random size: uint8 ``[height, width]``, 0 = background, 255 = ink.
"""

import numpy as np
import numpy.typing as npt
from scipy.ndimage import gaussian_filter

Image = npt.NDArray[np.uint8]

MIN_SIDE_PX, MAX_SIDE_PX = 28, 160
# The normaliser finds no ink below a tenth of the range. Paper with its grain stays well below that.
PAPER_LEVELS = 8


def draw_noise(rng: np.random.Generator) -> Image:
    """Draw white noise or smoothed noise, often thresholded."""
    height, width = _size(rng)
    noise = rng.normal(0, 1, (height, width))
    if rng.random() < 0.5:
        noise = gaussian_filter(noise, rng.uniform(0.02, 0.07) * max(height, width), mode="wrap")
    level = np.quantile(noise, rng.uniform(0.3, 0.8)) if rng.random() < 0.5 else None
    return _stretched(noise if level is None else noise > level)


def draw_texture(rng: np.random.Generator) -> Image:
    """Draw fractal noise, a gradient, stripes, or a sum of two of them, like parts of a photo."""
    height, width = _size(rng)
    kinds = [_fractal, _gradient, _stripes]
    layers = [kinds[int(rng.integers(3))](rng, height, width) for _ in range(int(rng.integers(1, 3)))]
    return _stretched(sum(rng.uniform(0.5, 1) * layer for layer in layers), contrast=rng.uniform(0.4, 1))


def draw_blank(rng: np.random.Generator) -> Image:
    """Draw a constant level, sometimes with a little noise."""
    grain = rng.integers(0, rng.integers(1, PAPER_LEVELS + 1), _size(rng))
    return (int(rng.integers(0, 255 - PAPER_LEVELS)) + grain).astype(np.uint8)


def draw_salt_and_pepper(rng: np.random.Generator) -> Image:
    """Draw single pixels on a plain background, or a checkerboard, sometimes with errors."""
    height, width = _size(rng)
    if rng.random() < 0.6:
        share = rng.uniform(0.01, 0.2)
        draws = rng.random((height, width))
        ground = float(rng.choice([0.0, 0.5]))
        return _stretched(np.where(draws < share, 1.0, np.where((draws > 1 - share) & (ground > 0), 0.0, ground)))
    y, x = _axes(height, width)
    n_fields = rng.integers(4, 12)
    rows, columns = (y * n_fields).astype(int), (x * n_fields).astype(int)
    wrong = rng.random((n_fields, n_fields)) < rng.choice([0.0, 0.1])
    return _stretched((rows + columns) % 2 ^ wrong[rows, columns])


def draw_pattern(rng: np.random.Generator) -> Image:
    """Draw Voronoi cells, rings, bricks or overlapping rectangles."""
    height, width = _size(rng)
    kinds = [_cells, _rings, _bricks, _rectangles]
    return _stretched(kinds[int(rng.integers(4))](rng, height, width), contrast=rng.uniform(0.4, 1))


def draw_paper(rng: np.random.Generator) -> Image:
    """Draw blank paper with uneven light: a faint slope and grain."""
    height, width = _size(rng)
    y, x = _axes(height, width)
    slope = PAPER_LEVELS * (rng.uniform(-0.5, 0.5) * x + rng.uniform(-0.5, 0.5) * y)
    return np.rint(rng.uniform(20, 235) + slope + rng.uniform(0, 2, (height, width))).astype(np.uint8)


def _size(rng: np.random.Generator) -> tuple[int, int]:
    height, width = rng.integers(MIN_SIDE_PX, MAX_SIDE_PX + 1, 2).tolist()
    return height, width


def _axes(height: int, width: int) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    # [height, 1] and [1, width], from 0 to just below 1
    return np.arange(height)[:, None] / height, np.arange(width)[None, :] / width


def _stretched(values: npt.ArrayLike, contrast: float = 1.0) -> Image:
    levels = np.asarray(values, np.float64)
    spread = float(np.ptp(levels))
    return np.rint(255 * contrast * (levels - levels.min()) / (spread or 1.0)).astype(np.uint8)


def _fractal(rng: np.random.Generator, height: int, width: int) -> npt.NDArray[np.float64]:
    # Natural pictures have amplitudes near 1 / f (Field, 1987).
    frequency = np.hypot(np.fft.fftfreq(height)[:, None], np.fft.fftfreq(width)[None, :])
    frequency[0, 0] = np.inf
    spectrum = np.fft.fft2(rng.normal(0, 1, (height, width))) / frequency ** rng.uniform(0.8, 1.6)
    return _unit(np.fft.ifft2(spectrum).real)


def _gradient(rng: np.random.Generator, height: int, width: int) -> npt.NDArray[np.float64]:
    y, x = _axes(height, width)
    if rng.random() < 0.4:
        return _unit(np.hypot(x - rng.uniform(0, 1), y - rng.uniform(0, 1)))
    return _unit(x * rng.normal() + y * rng.normal())


def _stripes(rng: np.random.Generator, height: int, width: int) -> npt.NDArray[np.float64]:
    y, x = _axes(height, width)
    angle, n_stripes = rng.uniform(0, np.pi), rng.uniform(4, 14)  # one or two stripes could be a 1 or an 11
    wave = np.sin(2 * np.pi * (n_stripes * (x * np.cos(angle) + y * np.sin(angle)) + rng.uniform()))
    return _unit(np.sign(wave) if rng.random() < 0.4 else wave)


def _cells(rng: np.random.Generator, height: int, width: int) -> npt.NDArray[np.float64]:
    y, x = _axes(height, width)
    centres = rng.uniform(0, 1, (int(rng.integers(8, 25)), 2))
    distances = np.stack([np.hypot(x - centre_x, y - centre_y) for centre_x, centre_y in centres])
    if rng.random() < 0.5:
        return distances.min(axis=0)
    return rng.uniform(0, 1, len(centres))[distances.argmin(axis=0)]


def _rings(rng: np.random.Generator, height: int, width: int) -> npt.NDArray[np.float64]:
    y, x = _axes(height, width)
    radius = np.hypot(x - rng.uniform(0.2, 0.8), y - rng.uniform(0.2, 0.8))
    return np.sin(2 * np.pi * rng.uniform(5, 12) * radius)


def _bricks(rng: np.random.Generator, height: int, width: int) -> npt.NDArray[np.float64]:
    y, x = _axes(height, width)
    n_rows, joint = int(rng.integers(4, 9)), rng.uniform(0.08, 0.2)
    row = np.floor(y * n_rows)
    is_joint = (y * n_rows - row < joint) | ((x * n_rows / 2 + row % 2 / 2) % 1 < joint / 2)
    return is_joint.astype(np.float64)


def _rectangles(rng: np.random.Generator, height: int, width: int) -> npt.NDArray[np.float64]:
    picture = np.full((height, width), rng.uniform())
    for _ in range(int(rng.integers(8, 20))):
        top, left = int(rng.integers(0, height)), int(rng.integers(0, width))
        picture[top : top + height // 3, left : left + width // 2] = rng.uniform()
    return picture


def _unit(values: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    return (values - values.min()) / (float(np.ptp(values)) or 1.0)
