"""From the sample to a survey one may trust: progress, weights, interviewers, rechecks.

Everything here is internal: it speaks of sampling units, interviewers and respondents.
"""
