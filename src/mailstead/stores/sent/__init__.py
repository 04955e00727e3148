"""What people and programs sent from here, so that they can list it; where each message stands is told by the trace."""
