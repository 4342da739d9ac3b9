"""The proxy: HAProxy. Arguments: its configuration, and the process with which it ends."""

import os
import sys

from heartline_lab.detect.ends.end import die_with

if __name__ == "__main__":
    die_with(int(sys.argv[2]))
    fd = os.memfd_create("haproxy.cfg", 0)
    os.write(fd, sys.argv[1].encode())
    os.execvp("haproxy", ["haproxy", "-db", "-f", f"/proc/self/fd/{fd}"])
