"""The two dashboards, as code: `programme` for those who run it, `machine` for operations.

Grafana reads the JSON files beside the modules; `python -m deploy.dashboards` writes them.
"""

from pathlib import Path

HERE = Path(__file__).parent
