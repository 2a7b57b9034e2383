"""What must hold between the parts of a policy file, one file per theme; `portal.policy.check` runs them all.

Always true here: a rule is a generator over one Policy; each line it yields is `place: what is wrong. What to write.`
"""
