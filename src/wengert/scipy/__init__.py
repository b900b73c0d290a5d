"""What SciPy writes in Python, and so does not hand to tensors, in forms that carry gradients."""
