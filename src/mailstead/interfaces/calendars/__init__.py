"""Calendars as people see and change them: shared by pages and whatever else shows days, without anything of HTML."""
