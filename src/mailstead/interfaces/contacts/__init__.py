"""Contacts as people see and change them, without anything of HTML."""
