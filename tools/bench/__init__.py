"""Benchmarks. Each prints JSON with ratios against a baseline that is measured in the same run.

``python -m tools.bench.log`` and so on; every figure of the documentation comes from one of these.
"""
