"""What a gradient is made of: local derivatives, multiplied along each route and added over all of them.

The scalar dialect keeps every node with its children and local derivatives, so it can list the routes. There can be
exponentially many: `get_gradients` never walks them, it visits every node once.
"""

from side_by_side import show


def scalar():
    from wengert.dialects.scalar import Add, Exp, Log, Mul, Sin, Var, get_gradients, routes

    a, b = Var(4.0), Var(3.0)
    c = Add(a, b)
    d = Mul(a, c)
    print("d =", d.value, "with the local derivatives", [(child.value, local) for child, local in d.grad])
    print(routes(d, a))
    gradients = get_gradients(d)
    print("dd/da =", gradients[a], " dd/db =", gradients[b])

    def F(a, b, c):
        g = Sin(a * b) + Exp(c - (a / b))
        return Log(g * g) * c

    x = [Var(43.0), Var(3.0), Var(2.0)]
    gradients = get_gradients(F(*x))
    step = 1e-6
    for i, v in enumerate(x):
        moved = [Var(u.value + step * (j == i)) for j, u in enumerate(x)]
        print(f"exact {gradients[v]:.6f}   by a small step {(F(*moved) - F(*x)).value / step:.6f}")
    return [gradients[v] for v in x]


def wengert():
    import numpy as np

    import wengert as wg

    def F(a, b, c):
        g = np.sin(a * b) + np.exp(c - a / b)
        return np.log(g * g) * c

    gradient = wg.grad(F, argnums=(0, 1, 2))(43.0, 3.0, 2.0)
    print(gradient)
    wg.testing.check_grad(F, 4.3, 3.0, 2.0)  # against differences, where these are of use
    return gradient


show(scalar, wengert)
