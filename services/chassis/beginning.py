"""The first import of every service's `app`: its process begins without the collector.

What a process imports stays for good. Python would look through it for garbage a dozen times
meanwhile, which is a sixth of a start; the runtime has the collector on again once its parts are
there. Whoever imports a service without being its process (a test, `connecte`) keeps theirs.
"""

import gc
import sys

_spec = sys.modules["__main__"].__spec__
if _spec is not None and _spec.name.startswith("services."):  # `python -m services.…`
    gc.disable()
