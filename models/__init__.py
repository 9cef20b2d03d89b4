"""What we know about the heart and the scanner: physics, kinetics, phantom, networks.

Models import nobody of ours. A model is a frozen value whose constructor takes the constants of
an acquisition or a tissue and whose method evaluates one published equation.
"""
