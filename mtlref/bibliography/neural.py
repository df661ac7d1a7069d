"""Neural networks: architectures, layers and training."""

from __future__ import annotations

ENTRIES: dict[str, str] = {
    "caruana1997": """@article{caruana1997,
  author  = {Caruana, Rich},
  title   = {Multitask Learning},
  journal = {Machine Learning},
  volume  = {28},
  number  = {1},
  pages   = {41--75},
  year    = {1997}
}""",
    "caruana1996": """@inproceedings{caruana1996,
  author = {Caruana, Rich and Baluja, Shumeet and Mitchell, Tom},
  title = {Using the Future to ``Sort Out'' the Present: {Rankprop} and Multitask Learning for Medical Risk Evaluation},
  booktitle = {Advances in Neural Information Processing Systems 8},
  pages = {959--965},
  year = {1996}
}""",
    "duong2015": """@inproceedings{duong2015,
  author    = {Duong, Long and Cohn, Trevor and Bird, Steven and Cook, Paul},
  title     = {Low Resource Dependency Parsing: Cross-lingual Parameter Sharing in a Neural Network Parser},
  booktitle = {Proceedings of the 53rd Annual Meeting of the Association for Computational Linguistics},
  pages     = {845--850},
  year      = {2015}
}""",
    "misra2016": """@inproceedings{misra2016,
  author    = {Misra, Ishan and Shrivastava, Abhinav and Gupta, Abhinav and Hebert, Martial},
  title     = {Cross-stitch Networks for Multi-task Learning},
  booktitle = {IEEE Conference on Computer Vision and Pattern Recognition},
  pages     = {3994--4003},
  year      = {2016}
}""",
    "jacobs1991": """@article{jacobs1991,
  author  = {Jacobs, Robert A. and Jordan, Michael I. and Nowlan, Steven J. and Hinton, Geoffrey E.},
  title   = {Adaptive Mixtures of Local Experts},
  journal = {Neural Computation},
  volume  = {3},
  number  = {1},
  pages   = {79--87},
  year    = {1991}
}""",
    "ma2018": """@inproceedings{ma2018,
  author    = {Ma, Jiaqi and Zhao, Zhe and Yi, Xinyang and Chen, Jilin and Hong, Lichan and Chi, Ed H.},
  title     = {Modeling Task Relationships in Multi-task Learning with Multi-gate Mixture-of-Experts},
  booktitle = {Proceedings of the 24th ACM SIGKDD International Conference on Knowledge Discovery and Data Mining},
  pages     = {1930--1939},
  year      = {2018}
}""",
    "tang2020": """@inproceedings{tang2020,
  author = {Tang, Hongyan and Liu, Junning and Zhao, Ming and Gong, Xudong},
  title = {Progressive Layered Extraction ({PLE}): A Novel Multi-Task Learning ({MTL}) Model for Personalized
           Recommendations},
  booktitle = {Proceedings of the 14th ACM Conference on Recommender Systems},
  pages = {269--278},
  year = {2020}
}""",
    "hochreiter1997": """@article{hochreiter1997,
  author  = {Hochreiter, Sepp and Schmidhuber, J{\\"u}rgen},
  title   = {Long Short-Term Memory},
  journal = {Neural Computation},
  volume  = {9},
  number  = {8},
  pages   = {1735--1780},
  year    = {1997}
}""",
    "ganin2015": """@inproceedings{ganin2015,
  author    = {Ganin, Yaroslav and Lempitsky, Victor},
  title     = {Unsupervised Domain Adaptation by Backpropagation},
  booktitle = {Proceedings of the 32nd International Conference on Machine Learning},
  pages     = {1180--1189},
  year      = {2015}
}""",
    "kingma2015": """@inproceedings{kingma2015,
  author    = {Kingma, Diederik P. and Ba, Jimmy},
  title     = {Adam: A Method for Stochastic Optimization},
  booktitle = {3rd International Conference on Learning Representations},
  year      = {2015}
}""",
}
