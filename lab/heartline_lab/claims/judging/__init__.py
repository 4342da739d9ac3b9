"""What was measured says about each part of a statement: facts in, parts out. Pure.

Rules:
- Facts are counts, seconds, and names that the system gave; each judge says how a part follows from them, and would say
  otherwise of other facts.
- The words round the figures stay the same run by run.
"""
