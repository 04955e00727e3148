"""The commands, each in its file: a frozen struct, how it is read, and what it does; `registry` names them all."""
