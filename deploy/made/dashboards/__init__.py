"""The two dashboards, as code: `programme` for those who run it, `machine` for operations.

Grafana reads the JSON files beside the modules; `python -m deploy.made.dashboards` writes them.
"""

from pathlib import Path

WRITTEN = Path(__file__).parents[2] / "chart" / "files" / "dashboards"
