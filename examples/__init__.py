"""Functions of real shape under the guard, and the demonstration that `make demo` runs."""
