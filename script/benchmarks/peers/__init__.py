"""The other servers, each started by hand with a configuration and folders of its own."""
