"""When messages that were put off are to come back: for the scheduler, which has no mailbox open."""
