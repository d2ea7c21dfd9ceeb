"""Charts, one file each: documents in, an Altair chart out, in the house style.

Where a chart places labels itself, it does so in pixels on a scale that it fixes, so that no two
labels overlap whatever the figures are.
"""
