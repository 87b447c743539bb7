"""How loud speech is: ITU-R BS.1770-5, measured in the frequency domain."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

STEP = 0.1  # seconds between gating blocks
STEPS_AT_ONCE = 6  # spectra that stay in the processor's near cache while they are weighted
STEPS_PER_BLOCK = 4  # a block is 0.4 s, so blocks overlap by three quarters
ABSOLUTE_GATE = -70.0  # LUFS
RELATIVE_GATE = -10.0  # LU below the mean of what passed the absolute gate
SILENCE = -120.0  # LUFS; what is reported where nothing passes


def loudness(samples: np.ndarray, rate: int) -> float:
    """Gated loudness of mono float32 [n] in LUFS; ``SILENCE`` where nothing is loud enough to count."""
    return measure(samples, rate)[0]


def measure(samples: np.ndarray, rate: int) -> tuple[float, float]:
    """Gated loudness in LUFS and the seconds it was measured on (pauses do not count)."""
    powers = _step_powers(samples, rate)
    blocks = _block_powers(powers)
    floor = _power(ABSOLUTE_GATE)
    heard = blocks[blocks > floor]
    if not len(heard):
        return SILENCE, 0.0
    floor = max(floor, float(heard.mean()) * 10 ** (RELATIVE_GATE / 10))
    seconds = float((powers > floor).sum()) * min(STEP, len(samples) / rate)
    return _lufs(float(blocks[blocks > floor].mean())), seconds


def _step_powers(samples: np.ndarray, rate: int) -> np.ndarray:
    """Mean square of the K-weighted sound in each step of 0.1 s, [steps]; what is left over is dropped.

    By Parseval's theorem the weighting needs no filter: it multiplies each step's spectrum.
    """
    size = max(1, min(len(samples), round(STEP * rate)))
    steps = samples[: len(samples) // size * size].reshape(-1, size)
    weights = _k_weights(rate, size)
    powers = np.empty(len(steps), np.float32)
    scratch = np.empty((STEPS_AT_ONCE, size // 2 + 1), np.complex64)
    for start in range(0, len(steps), STEPS_AT_ONCE):
        some = steps[start : start + STEPS_AT_ONCE]
        spectrum = scratch[: len(some)]
        np.fft.rfft(some, axis=1, out=spectrum)  # type: ignore[arg-type]  # its stubs know double precision only
        spectrum = spectrum.view(np.float32)
        np.multiply(spectrum, spectrum, out=spectrum)
        np.matmul(spectrum, weights, out=powers[start : start + len(some)])
    return powers


def _block_powers(steps: np.ndarray) -> np.ndarray:
    width = min(STEPS_PER_BLOCK, len(steps))
    if not width:
        return steps
    blocks = len(steps) - width + 1
    total = steps[:blocks].copy()
    for offset in range(1, width):
        total += steps[offset : offset + blocks]
    return total / width


@lru_cache(maxsize=64)
def _k_weights(rate: int, size: int) -> np.ndarray:
    """Squared magnitude of the K filter at the ``rfft`` bins of ``size`` samples, scaled to a mean square.

    Each stands twice, for the real and the imaginary part: float32 [2 (size // 2 + 1)].

    BS.1770 gives both biquads at 48 kHz only; these are their analogue prototypes
    (shelf: 1682 Hz, +4 dB, Q 0.707; high-pass: 38.1 Hz, Q 0.500) under the bilinear transform.
    """
    z = np.exp(-2j * np.pi * np.fft.rfftfreq(size))
    k = np.tan(np.pi * 1681.974450955533 / rate)
    q, high = 0.7071752369554196, 10 ** (3.999843853973347 / 20)
    middle = high**0.4996667741545416
    shelf = _biquad(
        z, (high + middle * k / q + k * k, 2 * (k * k - high), high - middle * k / q + k * k), k, q
    )
    k = np.tan(np.pi * 38.13547087602444 / rate)
    highpass = _biquad(z, (1.0, -2.0, 1.0), k, 0.5003270373238773)
    highpass *= 1 + k / 0.5003270373238773 + k * k  # the standard leaves its numerator unscaled
    weights = np.abs(shelf * highpass) ** 2 * 2 / size**2  # each bin stands for two, ...
    weights[0] /= 2  # ... but for zero
    if size % 2 == 0:
        weights[-1] /= 2  # ... and the Nyquist frequency
    return np.repeat(weights.astype(np.float32), 2)


def _biquad(z: np.ndarray, b: tuple[float, float, float], k: float, q: float) -> np.ndarray:
    a = (1 + k / q + k * k, 2 * (k * k - 1), 1 - k / q + k * k)
    return (b[0] + b[1] * z + b[2] * z * z) / (a[0] + a[1] * z + a[2] * z * z)


def _lufs(power: float) -> float:
    return -0.691 + 10 * float(np.log10(power))


def _power(lufs: float) -> float:
    return float(10 ** ((lufs + 0.691) / 10))
