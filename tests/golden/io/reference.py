"""Writes reference.safetensors with the safetensors package (pip install safetensors numpy), for tests/io."""
import pathlib

import numpy
from safetensors.numpy import save_file

tensors = {
    "b.weight": numpy.array([[1.5, -2.0, 0.0], [3.0, numpy.inf, 0.25]], dtype=numpy.float32),
    "a.weight": numpy.array([0.5], dtype=numpy.float32),
    "ids": numpy.array([1, -2, 3], dtype=numpy.int64),
    "empty": numpy.zeros((0, 4), dtype=numpy.float32),
    "scalar": numpy.array(7, dtype=numpy.int64),
    "half": numpy.array([1.0, -1.0, 0.5], dtype=numpy.float16),
    "mask": numpy.array([True, False, True]),
}
save_file(tensors, pathlib.Path(__file__).parent / "reference.safetensors", metadata={"format": "pt"})
