"""A user's program, for the type checker (`make lint`): the face of a tensor is visible to it."""

import numpy as np

import wengert as wg

t = wg.tensor([1.0, 2.0], requires_grad=True)
y = (t * 2 + 1 - t / 3) @ t
z = t.sum() + t[0] + np.sum(t)
with wg.no_grad():
    t -= 0.1
y.backward()
g = wg.grad(lambda x: x * x)(2.0)
print(t.grad, t.T.reshape(-1).mean(), -t, t > 1, g)
