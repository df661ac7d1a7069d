"""Optimisation, linear algebra and derivatives."""

from __future__ import annotations

ENTRIES: dict[str, str] = {
    "lawson1974": """@book{lawson1974,
  author    = {Lawson, Charles L. and Hanson, Richard J.},
  title     = {Solving Least Squares Problems},
  publisher = {Prentice-Hall},
  year      = {1974}
}""",
    "boyd2004": """@book{boyd2004,
  author    = {Boyd, Stephen and Vandenberghe, Lieven},
  title     = {Convex Optimization},
  publisher = {Cambridge University Press},
  year      = {2004}
}""",
    "higham1990": """@incollection{higham1990,
  author    = {Higham, Nicholas J.},
  title     = {Analysis of the {Cholesky} Decomposition of a Semi-Definite Matrix},
  booktitle = {Reliable Numerical Computation},
  editor    = {Cox, M. G. and Hammarling, S. J.},
  publisher = {Oxford University Press},
  pages     = {161--185},
  year      = {1990}
}""",
    "parlett1998": """@book{parlett1998,
  author    = {Parlett, Beresford N.},
  title     = {The Symmetric Eigenvalue Problem},
  series    = {Classics in Applied Mathematics},
  number    = {20},
  publisher = {SIAM},
  year      = {1998}
}""",
    "bertsekas1982": """@article{bertsekas1982,
  author  = {Bertsekas, Dimitri P.},
  title   = {Projected {Newton} Methods for Optimization Problems with Simple Constraints},
  journal = {SIAM Journal on Control and Optimization},
  volume  = {20},
  number  = {2},
  pages   = {221--246},
  year    = {1982}
}""",
    "nocedal2006": """@book{nocedal2006,
  author    = {Nocedal, Jorge and Wright, Stephen J.},
  title     = {Numerical Optimization},
  edition   = {2nd},
  publisher = {Springer},
  year      = {2006}
}""",
    "byrd1995": """@article{byrd1995,
  author  = {Byrd, Richard H. and Lu, Peihuang and Nocedal, Jorge and Zhu, Ciyou},
  title   = {A Limited Memory Algorithm for Bound Constrained Optimization},
  journal = {SIAM Journal on Scientific Computing},
  volume  = {16},
  number  = {5},
  pages   = {1190--1208},
  year    = {1995}
}""",
    "danskin1967": """@book{danskin1967,
  author    = {Danskin, John M.},
  title     = {The Theory of Max-Min and its Application to Weapons Allocation Problems},
  series    = {Econometrics and Operations Research},
  number    = {5},
  publisher = {Springer},
  year      = {1967}
}""",
    "horn2013": """@book{horn2013,
  author    = {Horn, Roger A. and Johnson, Charles R.},
  title     = {Matrix Analysis},
  edition   = {2nd},
  publisher = {Cambridge University Press},
  year      = {2013}
}""",
    "squire1998": """@article{squire1998,
  author  = {Squire, William and Trapp, George},
  title   = {Using Complex Variables to Estimate Derivatives of Real Functions},
  journal = {SIAM Review},
  volume  = {40},
  number  = {1},
  pages   = {110--112},
  year    = {1998}
}""",
}
