"""Data sets, and the statistics of a comparison."""

from __future__ import annotations

ENTRIES: dict[str, str] = {
    "nadeau2003": """@article{nadeau2003,
  author  = {Nadeau, Claude and Bengio, Yoshua},
  title   = {Inference for the Generalization Error},
  journal = {Machine Learning},
  volume  = {52},
  number  = {3},
  pages   = {239--281},
  year    = {2003}
}""",
    "holm1979": """@article{holm1979,
  author  = {Holm, Sture},
  title   = {A Simple Sequentially Rejective Multiple Test Procedure},
  journal = {Scandinavian Journal of Statistics},
  volume  = {6},
  number  = {2},
  pages   = {65--70},
  year    = {1979}
}""",
    "goldstein1991": """@article{goldstein1991,
  author  = {Goldstein, Harvey},
  title   = {Multilevel Modelling of Survey Data},
  journal = {Journal of the Royal Statistical Society, Series D (The Statistician)},
  volume  = {40},
  number  = {2},
  pages   = {235--244},
  year    = {1991}
}""",
    "xue2007": """@article{xue2007,
  author  = {Xue, Ya and Liao, Xuejun and Carin, Lawrence and Krishnapuram, Balaji},
  title   = {Multi-Task Learning for Classification with {Dirichlet} Process Priors},
  journal = {Journal of Machine Learning Research},
  volume  = {8},
  pages   = {35--63},
  year    = {2007}
}""",
    "goovaerts1997": """@book{goovaerts1997,
  author    = {Goovaerts, Pierre},
  title     = {Geostatistics for Natural Resources Evaluation},
  publisher = {Oxford University Press},
  year      = {1997}
}""",
    "alpaydin1998": """@misc{alpaydin1998,
  author = {Alpaydin, Ethem and Kaynak, Cenk},
  title  = {Optical Recognition of Handwritten Digits},
  year   = {1998},
  note   = {UCI Machine Learning Repository}
}""",
}
