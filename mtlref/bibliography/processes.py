"""Gaussian processes, and the choice of measurements."""

from __future__ import annotations

ENTRIES: dict[str, str] = {
    "rasmussen2006": """@book{rasmussen2006,
  author    = {Rasmussen, Carl Edward and Williams, Christopher K. I.},
  title     = {Gaussian Processes for Machine Learning},
  publisher = {MIT Press},
  year      = {2006}
}""",
    "bonilla2008": """@inproceedings{bonilla2008,
  author    = {Bonilla, Edwin V. and Chai, Kian Ming A. and Williams, Christopher K. I.},
  title     = {Multi-task {Gaussian} Process Prediction},
  booktitle = {Advances in Neural Information Processing Systems 20},
  pages     = {153--160},
  year      = {2008}
}""",
    "stegle2011": """@inproceedings{stegle2011,
  author    = {Stegle, Oliver and Lippert, Christoph and Mooij, Joris and Lawrence, Neil and Borgwardt, Karsten},
  title     = {Efficient Inference in Matrix-Variate {Gaussian} Models with iid Observation Noise},
  booktitle = {Advances in Neural Information Processing Systems 24},
  pages     = {630--638},
  year      = {2011}
}""",
    "alvarez2012": """@article{alvarez2012,
  author  = {{\\'A}lvarez, Mauricio A. and Rosasco, Lorenzo and Lawrence, Neil D.},
  title   = {Kernels for Vector-Valued Functions: A Review},
  journal = {Foundations and Trends in Machine Learning},
  volume  = {4},
  number  = {3},
  pages   = {195--266},
  year    = {2012}
}""",
    "rakitsch2013": """@inproceedings{rakitsch2013,
  author    = {Rakitsch, Barbara and Lippert, Christoph and Borgwardt, Karsten and Stegle, Oliver},
  title     = {It is All in the Noise: Efficient Multi-task {Gaussian} Process Inference with Structured Residuals},
  booktitle = {Advances in Neural Information Processing Systems 26},
  pages     = {1466--1474},
  year      = {2013}
}""",
    "mackay1992": """@article{mackay1992,
  author  = {MacKay, David J. C.},
  title   = {Information-Based Objective Functions for Active Data Selection},
  journal = {Neural Computation},
  volume  = {4},
  number  = {4},
  pages   = {590--604},
  year    = {1992}
}""",
    "mackay1998": """@incollection{mackay1998,
  author    = {MacKay, David J. C.},
  title     = {Introduction to {Gaussian} Processes},
  booktitle = {Neural Networks and Machine Learning},
  editor    = {Bishop, Christopher M.},
  series    = {NATO ASI Series F},
  volume    = {168},
  publisher = {Springer},
  pages     = {133--165},
  year      = {1998}
}""",
    "gelman2013": """@book{gelman2013,
  author    = {Gelman, Andrew and Carlin, John B. and Stern, Hal S. and Dunson, David B. and Vehtari, Aki and
               Rubin, Donald B.},
  title     = {Bayesian Data Analysis},
  edition   = {3rd},
  publisher = {Chapman and Hall/CRC},
  year      = {2013}
}""",
    "guestrin2005": """@inproceedings{guestrin2005,
  author    = {Guestrin, Carlos and Krause, Andreas and Singh, Ajit Paul},
  title     = {Near-Optimal Sensor Placements in {Gaussian} Processes},
  booktitle = {Proceedings of the 22nd International Conference on Machine Learning},
  pages     = {265--272},
  year      = {2005}
}""",
    "gilmour1995": """@article{gilmour1995,
  author  = {Gilmour, Arthur R. and Thompson, Robin and Cullis, Brian R.},
  title   = {Average Information {REML}: An Efficient Algorithm for Variance Parameter Estimation in Linear
             Mixed Models},
  journal = {Biometrics},
  volume  = {51},
  number  = {4},
  pages   = {1440--1450},
  year    = {1995}
}""",
}
