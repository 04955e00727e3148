"""Regular care of an installation: certificates, mailboxes, the queue, what has ended.

A job runs once in an installation, however many schedulers there are: who runs it holds a lease on the bus, and takes
its turn in the job's document in one step, so that schedulers that share no bus do not run it twice either. The document
keeps when it ran, how it ended and when it is next, over restarts. A job that fails is tried again, sooner at first and
never later than its period; the log and `mailstead status` say so, and after some failures in a row the administrators
get a message.
"""
