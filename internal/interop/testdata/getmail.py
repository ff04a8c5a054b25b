"""getmail6 with a mended wait for its deliveries.

getmail6 6.18 takes SIGCHLD with a handler that notifies a condition, and then waits for
that condition: it misses a delivery that ends before it waits, and does nothing until
its timeout. A message whose delivery fails before the program is called ends that soon.
"""

import os
import runpy
import shutil

from getmailcore import baseclasses


def wait_for_child(self, pid):
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


baseclasses.ForkingBase._prepare_child = lambda self: None
baseclasses.ForkingBase._wait_for_child = wait_for_child

runpy.run_path(shutil.which("getmail"), run_name="__main__")
