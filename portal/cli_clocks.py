"""The commands that count: `habeas deadline` and `habeas clock`.

Always true here: no database is asked; the policy file and what is on the command line are all there is.
"""
