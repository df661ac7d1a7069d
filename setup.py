"""Package metadata. The version is read as text, so that building needs neither NumPy nor SciPy."""

from __future__ import annotations

import re
from pathlib import Path

from setuptools import find_packages, setup

ROOT = Path(__file__).resolve().parent


def version() -> str:
    """The string that mtlref/_version.py assigns to ``__version__``."""
    text = (ROOT / "mtlref" / "_version.py").read_text(encoding="utf-8")
    found = re.search(r'^__version__ = "([^"]+)"$', text, flags=re.MULTILINE)
    if found is None:
        raise RuntimeError('mtlref/_version.py must hold one line: __version__ = "..."')
    return found.group(1)


STUDY = [
    "jinja2>=3.1",
    "joblib>=1.3",
    "matplotlib>=3.8",
    "pandas>=2.2",
    "pooch>=1.8",
    "pyarrow>=15",
    "scikit-learn>=1.6",
    "threadpoolctl>=3.2",
    "tqdm>=4.66",
]
VERIFY = ["cvxpy>=1.5", "hypothesis>=6.100"]
DASK = ["dask[array,dataframe]>=2024.8", "distributed>=2024.8", "joblib>=1.3"]
TEST = [
    *STUDY,
    *VERIFY,
    *DASK,
    "mpmath>=1.3",
    "polars>=1.0",
    "pytest>=8.2",
    "pytest-timeout>=2.3",
    "pytest-xdist>=3.6",
    "python-flint>=0.6",
    "selenium>=4.20",
]
DOCS = ["furo>=2024.8.6", "myst-parser>=4.0", "sphinx>=8.0"]
DEV = [*TEST, *DOCS, "build>=1.2", "cffconvert>=2.0", "mutmut>=3.8,<4", "mypy>=1.11", "ruff>=0.6"]
BENCH = [
    "adelie>=1.1.50",
    "celer>=0.7.4",
    "gpytorch>=1.13",
    "matplotlib>=3.8",
    "scikit-learn>=1.6",
    "skglm>=0.4",
    "spams-bin>=2.6.10",
    "threadpoolctl>=3.2",
    "torch>=2.3",
    "torchjd>=0.9",
]
# GPy has no version of NumPy in common with adelie: an environment of its own.
BENCH_GPY = ["GPy>=1.15", "gpytorch>=1.13", "matplotlib>=3.8", "torch>=2.3"]

setup(
    name="mtlref",
    version=version(),
    description="A reference library of multi-task learning in NumPy and SciPy: every answer carries a certificate",
    long_description=(ROOT / "README.md").read_text(encoding="utf-8"),
    long_description_content_type="text/markdown",
    author="The mtlref developers",
    license_expression="BSD-3-Clause",
    license_files=["LICENSE"],
    keywords=["multi-task learning", "duality gap", "joint feature selection", "trace norm", "baselines"],
    classifiers=[
        "Development Status :: 4 - Beta",
        "Intended Audience :: Science/Research",
        "Operating System :: OS Independent",
        "Programming Language :: Python :: 3",
        "Programming Language :: Python :: 3 :: Only",
        "Topic :: Scientific/Engineering :: Artificial Intelligence",
        "Typing :: Typed",
    ],
    python_requires=">=3.11",
    packages=find_packages(include=["mtlref", "mtlref.*"]),
    package_data={"mtlref": ["py.typed"], "mtlref.study": ["templates/*"]},
    install_requires=["numpy>=1.26", "scipy>=1.12"],
    extras_require={
        "study": STUDY,
        "verify": VERIFY,
        "test": TEST,
        "docs": DOCS,
        "dev": DEV,
        "dask": DASK,
        "bench": BENCH,
        "bench-gpy": BENCH_GPY,
    },
    entry_points={"console_scripts": ["mtlref = mtlref.cli:main"]},
    zip_safe=False,
)
