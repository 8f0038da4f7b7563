"""Writes tests/golden/io/torch: small files of torch.save, and expected.safetensors with what must be read from them.

Run with torch 2.13, safetensors and numpy. What older versions of torch wrote is written by hand here: torch 1.6 had
no byteorder entry, and files over 4 GB have zip64 records.
"""
import collections
import io
import pathlib
import pickle
import zipfile

import safetensors.torch
import torch

folder = pathlib.Path(__file__).parent / "io/torch"
folder.mkdir(exist_ok=True)
torch.manual_seed(0)


def tensors():
    wide = torch.arange(12, dtype=torch.float32).reshape(3, 4)
    tied = torch.tensor([0.5, -1.5, 2.5])
    return collections.OrderedDict(
        [
            ("f32", torch.tensor([[1.5, -2.0, 0.0], [3.0, float("inf"), 0.25]])),
            ("f64", torch.tensor([1.0, -0.1], dtype=torch.float64)),
            ("f16", torch.tensor([1.0, -1.0, 0.5], dtype=torch.float16)),
            ("bf16", torch.tensor([1.0, -1.0, 3.140625], dtype=torch.bfloat16)),
            ("c64", torch.tensor([1 + 2j], dtype=torch.complex64)),
            ("i64", torch.tensor([1, -2, 3])),
            ("i32", torch.tensor([1, -2], dtype=torch.int32)),
            ("i16", torch.tensor([1, -2], dtype=torch.int16)),
            ("i8", torch.tensor([1, -2], dtype=torch.int8)),
            ("u8", torch.tensor([1, 254], dtype=torch.uint8)),
            ("bool", torch.tensor([True, False, True])),
            ("u16", torch.tensor([1, 65535], dtype=torch.uint16)),
            ("u32", torch.tensor([1, 4294967295], dtype=torch.uint32)),
            ("u64", torch.tensor([1, 2**63], dtype=torch.uint64)),
            ("f8_e4m3", torch.tensor([1.0, -2.0]).to(torch.float8_e4m3fn)),
            ("f8_e5m2", torch.tensor([1.0, -2.0]).to(torch.float8_e5m2)),
            ("scalar", torch.tensor(7)),
            ("empty", torch.zeros(0, 4)),
            ("parameter", torch.nn.Parameter(torch.tensor([4.0, 5.0]))),
            ("buffer", torch.nn.Parameter(torch.tensor([6.0]), requires_grad=False)),
            ("tied.a", tied),
            ("tied.b", tied),
            ("part", wide[1:, :]),
            ("transposed", wide.t()),
            ("columns", wide[:, 1:3]),
            ("every_second", wide.flatten()[1::2]),
            ("permuted", torch.arange(24, dtype=torch.int16).reshape(2, 3, 4).permute(2, 0, 1)),
            ("expanded", torch.tensor([[8.0], [9.0]]).expand(2, 3)),
            ("positions", torch.arange(5).expand((1, -1))),
            ("name with \N{LATIN SMALL LETTER E WITH ACUTE} and /", torch.ones(1)),
        ]
    )


class OldPickler(pickle._Pickler):
    """As torch 1.6 pickled: the same names, protocol 2, storages by persistent id."""

    def persistent_id(self, value):
        if isinstance(value, torch.storage.TypedStorage):
            names = {torch.float32: "FloatStorage", torch.int64: "LongStorage"}
            return ("storage", getattr(torch, names[value.dtype]), "0", "cpu", value.size())


def write_old(path, wide):
    value = collections.OrderedDict(weight=torch.arange(6, dtype=torch.float32).reshape(2, 3))
    data = io.BytesIO()
    OldPickler(data, protocol=2).dump(value)
    entries = {
        "data.pkl": data.getvalue(),
        "data/0": value["weight"].numpy().tobytes(),
        "version": b"3\n",
    }
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        for name, content in entries.items():
            with archive.open(zipfile.ZipInfo("archive/" + name), "w", force_zip64=wide) as entry:
                entry.write(content)


state = tensors()
torch.save(state, folder / "state_dict.bin")
torch.save(state, folder / "protocol5.bin", pickle_protocol=5)
torch.save(dict(state), folder / "dict.pt")
module = torch.nn.Sequential(torch.nn.Linear(2, 3), torch.nn.BatchNorm1d(3))
optimizer = torch.optim.AdamW(module.parameters())
module(torch.ones(2, 2)).sum().backward()
optimizer.step()
torch.save(module.state_dict(), folder / "module.bin")
checkpoint = {"epoch": 3, "loss": 0.5, "optimizer": optimizer.state_dict(), "state_dict": module.state_dict()}
torch.save(checkpoint, folder / "checkpoint.pt")
module_state = {"module." + name: value.clone() for name, value in module.state_dict().items()}
torch.serialization.set_crc32_options(False)
torch.save({"f32": state["f32"]}, folder / "no_crc.bin")
torch.serialization.set_crc32_options(True)
torch.save({"f32": state["f32"]}, folder / "legacy.bin", _use_new_zipfile_serialization=False)
torch.save(torch.ones(2), folder / "tensor.pt")
torch.save({"a": torch.ones(2).numpy()}, folder / "numpy.pt")
torch.save(module, folder / "whole_module.pt")
write_old(folder / "torch_1_6.bin", wide=False)
write_old(folder / "zip64.bin", wide=True)

expected = {name: value.detach().contiguous().clone() for name, value in state.items()}
safetensors.torch.save_file(expected | module_state, folder / "expected.safetensors")
