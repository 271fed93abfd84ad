"""A tokenizer whose tokens are words, for tests that do not need the served one."""

from tokenizers import Tokenizer, models, pre_tokenizers

_tokenizer = Tokenizer(models.WordLevel({"[UNK]": 0}, unk_token="[UNK]"))
_tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
WORDS: str = _tokenizer.to_str()
