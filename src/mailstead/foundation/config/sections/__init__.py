"""The sections of Settings, one file each."""
