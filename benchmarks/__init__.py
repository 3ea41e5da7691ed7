"""The figures of this project: ours beside a plain FastAPI server and beside the raw limit, as ratios.

``python -m benchmarks --report benchmarks/REPORT.md`` measures and writes them down. Nothing in here is
imported by the library or timed in the test-suite.
"""
