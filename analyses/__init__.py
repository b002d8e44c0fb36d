"""The charts: one module each, which asks the views and returns an Altair chart.

They import each other by their place, since `mirror` finds them as `mirror.analyses` too. A copy
of one in another folder imports from `analyses.style` what it has from `.style` here.
"""
