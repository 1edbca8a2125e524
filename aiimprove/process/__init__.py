"""Other processes: who they are, running and ending them, the ports they hold, what they use. Linux only.

Every time here is in seconds from now, measured on the monotonic clock.
"""

from aiimprove.process.ancestry import children, descends_from, named, runs, until_gone
from aiimprove.process.identity import Identity, boot_id
from aiimprove.process.lockers import stopped_lockers
from aiimprove.process.ports import established, free_ports, port_holder, stranger_on
from aiimprove.process.programs import Finished, run, start, stop, uninterrupted
from aiimprove.process.resources import Meter, Resources, resources

__all__ = ["Finished", "Identity", "Meter", "Resources", "boot_id", "children", "descends_from", "established",
           "free_ports", "named", "port_holder", "resources", "run", "runs", "start", "stop", "stopped_lockers",
           "stranger_on", "uninterrupted", "until_gone"]
