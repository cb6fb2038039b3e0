"""Python runs this at its start where this folder is on its path: it breaks the build as BOOKSTORE_SABOTAGE says."""

import os

from proofs.stress.sabotage import break_modules, sabotages

break_modules(sabotages()[os.environ["BOOKSTORE_SABOTAGE"]].breaks)
