"""Plugins of pytest that put skimbal's classes in the place of others while a suite is imported."""
