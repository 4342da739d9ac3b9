"""The proxy: HAProxy. Argument: its configuration."""

import os
import sys

if __name__ == "__main__":
    fd = os.memfd_create("haproxy.cfg", 0)
    os.write(fd, sys.argv[1].encode())
    os.execvp("haproxy", ["haproxy", "-db", "-f", f"/proc/self/fd/{fd}"])
