"""The lab: short and long connections measured side by side, with a network in between that can be made to fail.

Importing it says at once what is missing, so that the command line can tell how to get it.
"""

from importlib.util import find_spec

for _needed in ("dpkt", "grpc_health", "hpack", "hyperframe", "jinja2", "matplotlib", "rich"):
    if find_spec(_needed) is None:
        raise ModuleNotFoundError(f"the lab needs {_needed}: pip install 'heartline[lab]'", name=_needed)
