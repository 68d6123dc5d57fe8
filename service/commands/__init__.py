"""The commands, one file each: a few lines that call the rest. Owns usage, exit codes and what is printed."""
