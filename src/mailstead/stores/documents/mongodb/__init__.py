"""Documents in MongoDB (a replica set; features of 6.0), with writes that a majority has on disk."""
