"""When a speaker has finished: after speech, a pause. Loudness decides; no word is understood.

Time is that of the audio, not of the clock, so that the same audio always makes the same turns.
"""

from array import array
from sys import byteorder

LOUD = 500  # of 32,767: 36 dB below the loudest; a quiet room is below
PAUSE = 1.0  # seconds of quiet after which a turn is over (inferred)


class Listener:
    """Listens to one content of 16-bit PCM audio, one channel, little-endian."""

    def __init__(self, rate: int) -> None:
        self._rate = rate  # samples a second
        self._speech = 0  # samples from the first loud one to the last
        self._quiet = 0  # samples since the last loud one
        self._odd = b""  # half a sample

    @property
    def spoken(self) -> float:
        """Seconds of speech since the last turn; 0 if there was none."""
        return self._speech / self._rate

    def hear(self, sound: bytes) -> bool:
        """Whether a turn ends in this piece of audio."""
        samples = self._samples(sound)
        last_loud = next((i for i in range(len(samples) - 1, -1, -1) if abs(samples[i]) >= LOUD), -1)
        if last_loud >= 0:
            self._speech += (self._quiet if self._speech else 0) + last_loud + 1
            self._quiet = len(samples) - last_loud - 1
        else:
            self._quiet += len(samples)
        return bool(self._speech) and self._quiet >= PAUSE * self._rate

    def forget(self) -> None:
        """Another turn begins."""
        self._speech = self._quiet = 0

    def _samples(self, sound: bytes) -> "array[int]":
        sound = self._odd + sound
        whole = len(sound) // 2 * 2
        self._odd = sound[whole:]
        samples = array("h", sound[:whole])
        if byteorder == "big":
            samples.byteswap()
        return samples
