"""SVG pictures without any library: readable on white and on black, alone and within a page.

style     colours, text, the frame around a picture
axis      a logarithmic axis: places, ticks, numbers
curves    lines on two logarithmic axes
bars      bars that share one axis, with their spread
"""
