"""Verification: audits of answers, laws, oracles, and slow twins of every fast path."""

from mtlref.verify.audit import audit

__all__ = ["audit"]
