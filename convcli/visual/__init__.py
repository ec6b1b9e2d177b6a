"""Pictures for people: plots of kernels, an image before and after, and the page to design a kernel on."""
