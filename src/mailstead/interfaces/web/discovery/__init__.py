"""What mail programs ask for to set an account up by themselves: the servers, in the form that each program reads."""
