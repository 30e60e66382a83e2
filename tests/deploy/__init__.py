"""The files that an installation past one machine is made of, held against what they promise."""
