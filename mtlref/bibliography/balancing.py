"""Weights of losses and directions between gradients."""

from __future__ import annotations

ENTRIES: dict[str, str] = {
    "desideri2012": """@article{desideri2012,
  author  = {Désidéri, Jean-Antoine},
  title   = {Multiple-Gradient Descent Algorithm ({MGDA}) for Multiobjective Optimization},
  journal = {Comptes Rendus Mathématique},
  volume  = {350},
  number  = {5--6},
  pages   = {313--318},
  year    = {2012}
}""",
    "sener2018": """@inproceedings{sener2018,
  author    = {Sener, Ozan and Koltun, Vladlen},
  title     = {Multi-Task Learning as Multi-Objective Optimization},
  booktitle = {Advances in Neural Information Processing Systems 31},
  year      = {2018}
}""",
    "yu2020": """@inproceedings{yu2020,
  author    = {Yu, Tianhe and Kumar, Saurabh and Gupta, Abhishek and Levine, Sergey and Hausman, Karol and
               Finn, Chelsea},
  title     = {Gradient Surgery for Multi-Task Learning},
  booktitle = {Advances in Neural Information Processing Systems 33},
  pages     = {5824--5836},
  year      = {2020}
}""",
    "liu2021cagrad": """@inproceedings{liu2021cagrad,
  author    = {Liu, Bo and Liu, Xingchao and Jin, Xiaojie and Stone, Peter and Liu, Qiang},
  title     = {Conflict-Averse Gradient Descent for Multi-Task Learning},
  booktitle = {Advances in Neural Information Processing Systems 34},
  pages     = {18878--18890},
  year      = {2021}
}""",
    "liu2021imtl": """@inproceedings{liu2021imtl,
  author    = {Liu, Liyang and Li, Yi and Kuang, Zhanghui and Xue, Jing-Hao and Chen, Yimin and Yang, Wenming
               and Liao, Qingmin and Zhang, Wayne},
  title     = {Towards Impartial Multi-Task Learning},
  booktitle = {International Conference on Learning Representations},
  year      = {2021}
}""",
    "navon2022": """@inproceedings{navon2022,
  author    = {Navon, Aviv and Shamsian, Aviv and Achituve, Idan and Maron, Haggai and Kawaguchi, Kenji and
               Chechik, Gal and Fetaya, Ethan},
  title     = {Multi-Task Learning as a Bargaining Game},
  booktitle = {Proceedings of the 39th International Conference on Machine Learning},
  pages     = {16428--16446},
  year      = {2022}
}""",
    "ban2024": """@inproceedings{ban2024,
  author    = {Ban, Hao and Ji, Kaiyi},
  title     = {Fair Resource Allocation in Multi-Task Learning},
  booktitle = {Proceedings of the 41st International Conference on Machine Learning},
  pages     = {2715--2731},
  year      = {2024}
}""",
    "senushkin2023": """@inproceedings{senushkin2023,
  author    = {Senushkin, Dmitry and Patakin, Nikolay and Kuznetsov, Arseny and Konushin, Anton},
  title     = {Independent Component Alignment for Multi-Task Learning},
  booktitle = {Proceedings of the IEEE/CVF Conference on Computer Vision and Pattern Recognition},
  pages     = {20083--20093},
  year      = {2023}
}""",
    "liu2024config": """@inproceedings{liu2024config,
  author    = {Liu, Qiang and Chu, Mengyu and Thuerey, Nils},
  title     = {{ConFIG}: Towards Conflict-free Training of Physics Informed Neural Networks},
  booktitle = {International Conference on Learning Representations},
  year      = {2025},
  note      = {arXiv:2408.11104, 2024}
}""",
    "lopezpaz2017": """@inproceedings{lopezpaz2017,
  author    = {Lopez-Paz, David and Ranzato, Marc'Aurelio},
  title     = {Gradient Episodic Memory for Continual Learning},
  booktitle = {Advances in Neural Information Processing Systems 30},
  pages     = {6467--6476},
  year      = {2017}
}""",
    "quinton2024": """@misc{quinton2024,
  author = {Quinton, Pierre and Rey, Valérian},
  title  = {Jacobian Descent for Multi-Objective Optimization},
  year   = {2024},
  note   = {arXiv:2406.16232}
}""",
    "chen2020": """@inproceedings{chen2020,
  author    = {Chen, Zhao and Ngiam, Jiquan and Huang, Yanping and Luong, Thang and Kretzschmar, Henrik and
               Chai, Yuning and Anguelov, Dragomir},
  title     = {Just Pick a Sign: Optimizing Deep Multitask Models with Gradient Sign Dropout},
  booktitle = {Advances in Neural Information Processing Systems 33},
  pages     = {2039--2050},
  year      = {2020}
}""",
    "wang2021": """@inproceedings{wang2021,
  author    = {Wang, Zirui and Tsvetkov, Yulia and Firat, Orhan and Cao, Yuan},
  title     = {Gradient Vaccine: Investigating and Improving Multi-Task Optimization in Massively
               Multilingual Models},
  booktitle = {International Conference on Learning Representations},
  year      = {2021}
}""",
    "fernando2023": """@inproceedings{fernando2023,
  author    = {Fernando, Heshan Devaka and Shen, Han and Liu, Miao and Chaudhury, Subhajit and Murugesan,
               Keerthiram and Chen, Tianyi},
  title     = {Mitigating Gradient Bias in Multi-Objective Learning: A Provably Convergent Approach},
  booktitle = {International Conference on Learning Representations},
  year      = {2023}
}""",
    "lin2022": """@article{lin2022,
  author  = {Lin, Baijiong and Ye, Feiyang and Zhang, Yu and Tsang, Ivor W.},
  title   = {Reasonable Effectiveness of Random Weighting: A Litmus Test for Multi-Task Learning},
  journal = {Transactions on Machine Learning Research},
  year    = {2022}
}""",
    "kendall2018": """@inproceedings{kendall2018,
  author    = {Kendall, Alex and Gal, Yarin and Cipolla, Roberto},
  title     = {Multi-Task Learning Using Uncertainty to Weigh Losses for Scene Geometry and Semantics},
  booktitle = {Proceedings of the IEEE Conference on Computer Vision and Pattern Recognition},
  pages     = {7482--7491},
  year      = {2018}
}""",
    "liebel2018": """@misc{liebel2018,
  author = {Liebel, Lukas and Körner, Marco},
  title  = {Auxiliary Tasks in Multi-Task Learning},
  year   = {2018},
  note   = {arXiv:1805.06334}
}""",
    "liu2019": """@inproceedings{liu2019,
  author    = {Liu, Shikun and Johns, Edward and Davison, Andrew J.},
  title     = {End-to-End Multi-Task Learning with Attention},
  booktitle = {Proceedings of the IEEE/CVF Conference on Computer Vision and Pattern Recognition},
  pages     = {1871--1880},
  year      = {2019}
}""",
    "chen2018": """@inproceedings{chen2018,
  author    = {Chen, Zhao and Badrinarayanan, Vijay and Lee, Chen-Yu and Rabinovich, Andrew},
  title     = {{GradNorm}: Gradient Normalization for Adaptive Loss Balancing in Deep Multitask Networks},
  booktitle = {Proceedings of the 35th International Conference on Machine Learning},
  pages     = {794--803},
  year      = {2018}
}""",
    "chennupati2019": """@inproceedings{chennupati2019,
  author    = {Chennupati, Sumanth and Sistu, Ganesh and Yogamani, Senthil and Rawashdeh, Samir A.},
  title     = {{MultiNet++}: Multi-Stream Feature Aggregation and Geometric Loss Strategy for Multi-Task
               Learning},
  booktitle = {Proceedings of the IEEE/CVF Conference on Computer Vision and Pattern Recognition Workshops},
  pages     = {1200--1210},
  year      = {2019}
}""",
    "liu2023famo": """@inproceedings{liu2023famo,
  author    = {Liu, Bo and Feng, Yihao and Stone, Peter and Liu, Qiang},
  title     = {{FAMO}: Fast Adaptive Multitask Optimization},
  booktitle = {Advances in Neural Information Processing Systems 36},
  pages     = {57226--57243},
  year      = {2023}
}""",
}
