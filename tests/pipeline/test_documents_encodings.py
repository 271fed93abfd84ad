from __future__ import annotations

from pathlib import Path

import pytest

from retriton_pipeline.documents import load_document
from retriton_pipeline.documents.text.encoding import decode

RUSSIAN = "Библиотекарь каждое утро открывает зал и пишет в журнале, кто взял карту."
JAPANESE = "司書は毎朝部屋を開けて、地図を借りた人を帳簿に書きます。"
CHINESE = "图书管理员每天早上打开房间，并把借地图的人写进账簿。"
TRADITIONAL = "圖書管理員每天早上打開房間，並把借地圖的人寫進帳簿。"
KOREAN = "사서는 매일 아침 방을 열고 지도를 빌린 사람을 장부에 적습니다."
POLISH = "Bibliotekarz każdego ranka otwiera salę i zapisuje, kto wziął mapę; źródła są w piwnicy, jak również księgi."
FRENCH = "Le bibliothécaire, où qu’il aille, note à côté de chaque carte l’été passé. Ça va de soi, déjà."


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        (RUSSIAN, "koi8_r"),
        (RUSSIAN, "cp1251"),
        (RUSSIAN, "cp866"),
        (JAPANESE, "cp932"),
        (JAPANESE, "euc_jp"),
        (JAPANESE, "iso2022_jp"),
        (CHINESE, "gb18030"),
        (TRADITIONAL, "big5"),
        (KOREAN, "euc_kr"),
        (POLISH, "cp1250"),
        (POLISH, "iso8859_2"),
        (FRENCH, "cp1252"),
        (FRENCH, "utf-16-le"),
        (RUSSIAN, "utf-16-be"),
        (CHINESE, "utf-16-le"),
        ("Der Wärter öffnet früh. Größe: 3 m², Preis 4 €.", "cp1252"),
        ("Der Wärter öffnet früh und schreibt ins große Buch.", "cp850"),
        ("Der Wärter öffnet früh und schreibt ins große Buch.", "mac_roman"),
        ("På natten stänger vaktmästaren; nyckeln är för stor.", "latin-1"),
        ("Kütüphaneci sabahları odayı açar ve haritayı kimin aldığını yazar, şehir çok büyük.", "cp1254"),
        ("A könyvtáros minden reggel kinyitja a termet, és felírja, ki vitte el a térképet. Erős szél fúj.", "cp1250"),
        ("הספרן פותח את החדר בכל בוקר", "cp1255"),
        ("המשאבה מזינה את המיכל במים והשסתום סוגר את הצינור", "cp1255"),
        ("يفتح أمين المكتبة الغرفة كل صباح", "cp1256"),
        ("บรรณารักษ์เปิดห้องทุกเช้า", "cp874"),
        ("Ο βιβλιοθηκάριος ανοίγει την αίθουσα κάθε πρωί", "cp1253"),
    ],
)
def test_a_sentence_is_enough_to_tell_the_encoding(text: str, encoding: str) -> None:
    assert decode(text.encode(encoding)) == text


@pytest.mark.parametrize(
    ("name", "text", "encoding"),
    [
        ("a.html", '<meta charset="windows-1257"><p>Ąžuolas</p>', "cp1257"),
        ("a.html", '<meta http-equiv="Content-Type" content="text/html; charset=KOI8-U"><p>Їжак</p>', "koi8_u"),
        ("a.html", '<?xml version="1.0" encoding="Shift_JIS"?><p>地図</p>', "cp932"),
        ("a.html", "<meta charset=iso-8859-1><p>“é” – €</p>", "cp1252"),
        ("a.html", "<meta charset=iso-2022-jp><p>地図</p>", "iso2022_jp"),
        ("a.py", "#!/usr/bin/python\n# -*- coding: cp1251 -*-\n# Ёж\n", "cp1251"),
        ("a.tex", "\\documentclass{a}\\usepackage[latin2]{inputenc}\\begin{document}Źdźbło\\end{document}", "latin2"),
    ],
)
def test_the_stated_encoding_is_used(tmp_path: Path, name: str, text: str, encoding: str) -> None:
    (tmp_path / name).write_bytes(text.encode(encoding))
    words = {"Ąžuolas", "Їжак", "地図", "“é” – €", "Ёж", "Źdźbło"}
    (block, *_) = load_document(tmp_path / name).blocks
    assert any(word in block.text for word in words if word in text)


@pytest.mark.parametrize("charset", ["klingon", "punycode", "utf-16", "ascii"])
def test_a_stated_encoding_that_does_not_fit_is_not_used(tmp_path: Path, charset: str) -> None:
    (tmp_path / "a.html").write_bytes(f"<meta charset={charset}><p>Größe und Höhe</p>".encode("cp1252"))
    assert load_document(tmp_path / "a.html").blocks[0].text == "Größe und Höhe"


def test_a_text_with_few_nul_characters_is_text() -> None:
    assert decode(b"A line that a program wrote before its end, which came early.\0\n" * 3) == (
        "A line that a program wrote before its end, which came early.\n" * 3
    )


def test_charsets_of_mails_mean_what_programs_take_them_for(tmp_path: Path) -> None:
    for charset, text in [("iso-8859-1", "“é” – 5"), ("gb2312", "地图 鎔"), ("shift_jis", "地図 ①")]:
        head = f"From: a@example.org\nContent-Type: text/plain; charset={charset}\n\n".encode()
        encoding = {"iso-8859-1": "cp1252", "gb2312": "gbk", "shift_jis": "cp932"}[charset]
        (tmp_path / "a.eml").write_bytes(head + text.encode(encoding))
        assert load_document(tmp_path / "a.eml").blocks[0].text == text


def test_a_mail_that_states_ascii_can_be_in_utf_8(tmp_path: Path) -> None:
    (tmp_path / "a.eml").write_bytes(b"From: a\nContent-Type: text/plain; charset=us-ascii\n\n" + "Größe".encode())
    assert load_document(tmp_path / "a.eml").blocks[0].text == "Größe"


def test_wrapped_lines_of_chinese_and_japanese_are_joined(tmp_path: Path) -> None:
    text = "司書は毎朝部屋を開けて、地図を\n借りた人を帳簿に書きます。\n次の行です\nA line\nand another"
    (tmp_path / "a.txt").write_text(text, encoding="utf-8")
    assert load_document(tmp_path / "a.txt").blocks[0].text == (
        "司書は毎朝部屋を開けて、地図を借りた人を帳簿に書きます。\n次の行です\nA line\nand another"
    )
