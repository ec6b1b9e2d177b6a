"""The kernel that best turns one image into another, by least squares in closed form.

Model: `after[y, x] = sum_uv before[y + u - a, x + v - b] w[u, v] + bias + error[y, x]`. As a function of the weights,
the sum E of the squared errors is a bowl. With `error = response - after`, the slope of E / 2 along a weight is

    gradient[u, v] = sum_yx error[y, x] before[y + u - a, x + v - b]

which is the correlation of the input with the error, laid over every place at once. It is what a layer of a network is
trained by, and each step of such training goes down it. Here nothing has to be trained: the bottom is where the
gradient is zero, and since the error is linear in the weights, that is a set of linear equations, the normal equations

    sum_kl G[uv, kl] w[k, l] = c[uv],    G[uv, kl] = sum_yx before[y + u - a, x + v - b] before[y + k - a, x + l - b]
                                         c[uv]     = sum_yx before[y + u - a, x + v - b] after[y, x]

G is the correlation of the input with itself, c that of the input with the output. The sums run over the pixels whose
window lies within the image, so that no padding is guessed, and whose output is not saturated: what was clipped no
longer says what it was. They are gathered in blocks of some megabytes, whatever the images' size.

Images determine a kernel as far as G has an inverse. Its eigenvalues are the energy of the input in as many patterns of
the kernel's size; a pattern that the input never shows (any but the flat one, where it is constant) can be added to the
kernel, and no output shows it. The result is then the kernel of least sum of squares among those that fit equally well.
"""

from convcli.kernel.fitting.gathering import SampleCounts
from convcli.kernel.fitting.request import SYMMETRIES, FitOptions, Pair
from convcli.kernel.fitting.solving import Fit, fit_kernel, gradient, symmetry_orbits

__all__ = ["SYMMETRIES", "Fit", "FitOptions", "Pair", "SampleCounts", "fit_kernel", "gradient", "symmetry_orbits"]
