"""Where a path of answers points: the start for the next weight."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Start = tuple[Array, Array]
# A step in log lam of more than so many times the last one is a leap, for which the last two answers say too little.
FARTHEST = 2.0


def ahead(lams: tuple[float, float, float], before: Start, last: Start) -> Start:
    """The straight line in log lam through the answers at the first two of ``lams``, at the third.

    The last answer itself where the third is not further on in the same direction, or too far on. What both answers
    have at zero stays there.
    """
    done, coming = np.log(lams[1] / lams[0]), np.log(lams[2] / lams[1])
    share = coming / done if done else 0.0
    if not 0.0 < share <= FARTHEST:
        return last
    W, b = (now + share * (now - old) for old, now in zip(before, last, strict=True))
    return W, b
