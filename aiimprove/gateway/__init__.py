"""Which release takes which share of traffic: Caddy in front of every public port, steered by small files.

The addresses of a release and the share of a canary are one-line files that Caddy reads for each request. All files
of one decision stand in one folder, gen/<number>; the link `live` (or `dev`) names the one in force, so that every
service switches in one rename and no connection is closed for it.
"""

from aiimprove.gateway.access_log import Answer, Cursor
from aiimprove.gateway.gateway import Gateway
from aiimprove.gateway.generation import Generation
from aiimprove.gateway.watch import Returned, Watch

__all__ = ["Answer", "Cursor", "Gateway", "Generation", "Returned", "Watch"]
