"""The version, alone in a file that setup.py and the documentation read without importing the package."""

__version__ = "0.1.0"
