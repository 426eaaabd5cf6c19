"""Faults of this machine, a child process, and pauses of long loops."""
