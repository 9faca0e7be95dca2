"""Values nobody means well with, for every field a person or a page can fill."""

from __future__ import annotations

_BREAKS = [
    "\r\n",
    "\n",
    "\r",
    "\x0b",
    "\x0c",
    "\x85",
    "\u2028",
    "\u2029",
    "\r\n ",
    "\n\t",
    "\0",
    "%0d%0a",
    "\\r\\n",
    "=0D=0A",
]
_PAYLOADS = [
    "Bcc: victim@example.com", "Subject: 假的", "\r\nContent-Type: text/html\r\n\r\n<script>alert(1)</script>",
    "To: everybody@example.cn", "DATA", ".", ".\r\nMAIL FROM:<x@example.com>", "X-Injected: 1", "List-Unsubscribe: <http://x>",
]  # fmt: skip
_TEXTS = [
    "", " ", "\t", "\0", "\ud800", "\udfff\ud800", "\ufeff题", "\u202e反", "a\u200bb", "é" * 3, "é", "😀" * 40, "字" * 5000,
    "=?utf-8?b?PHNjcmlwdD4=?=", "=?utf-8?q?=0D=0ABcc:_x?=", "=?", "=?x?y?z?=", '"', "\\", '\\"', '"<x@example.com>', "<", ">",
    "<x@example.com>", "a, b", "a; b", "(comment)", "a:b", "@", "{{7*7}}", "{% raw %}", "${7*7}", "'; DROP TABLE recipient;--",
    "<script>alert(1)</script>", "javascript:alert(1)", "data:text/html,x", "file:///etc/passwd", "../../etc/passwd",
    "http://169.254.169.254/", "\x1b[31m", "%s%s%n", "A" * 100_000, "党" * 998, "-" * 80, "." * 80, "--=_a0--",
    "x" * 77, "x " * 50, "\u0000\u0001\u0002", "a\x7fb", "\x80\x9f", "𝕏", "ﬃ", "İ", "ß", "\u0301", "a" + "\u0301" * 300,
    "=cmd|' /C calc'!A0", "+1", "-1", "@SUM(1)", "null", "None", "true", "0", "NaN", "../", "..\\", "con", "~", "*", "?",
]  # fmt: skip

#: Over 300 texts for names, titles, file names, tokens, form fields.
TEXTS = [
    *_TEXTS,
    *(f"标题{gap}{payload}" for gap in _BREAKS for payload in _PAYLOADS),
    *(f"{payload}{gap}" for gap in _BREAKS for payload in _PAYLOADS),
]

#: Everything that is no address although someone may type it; plus every text above.
BAD_ADDRESSES = [
    "", "a", "@", "a@", "@b.cn", "a@b", "a b@c.cn", "a@b c.cn", "a@@b.cn", "a@b.cn, c@d.cn", "a@b.cn;c@d.cn", "<a@b.cn>",
    "名 <a@b.cn>", '"a b"@c.cn', "a@b.cn>", "a@b.cn\r\nRCPT TO:<x@y.cn>", "a@b.cn\n", "\na@b.cn", "a\0@b.cn", "a@b.cn\0",
    "a@[127.0.0.1]", "a@127..1", "a@-b.cn", "a@b-.cn", "a@.cn", "a@_.cn", "a@b_c.cn", ".a@b.cn", "a.@b.cn", "a..b@c.cn", "a@b.cn.", f"{'a' * 65}@b.cn",
    f"a@{'b' * 64}.cn", f"a@{'b.' * 130}cn", "a\u200b@b.cn", "a\u202e@b.cn", "a@b\u200b.cn", "a\u2028@b.cn", "a\x85@b.cn",
    "a@b.cn SIZE=1", "a@b.cn> NOTIFY=NEVER", "a(c)@b.cn", "a@b.cn(c)", "a,b@c.cn", "a:b@c.cn", "a\\b@c.cn", "\ud800@b.cn",
    "字" * 22 + "@b.cn", "a@" + "字" * 63 + ".中国", "a%0d%0a@b.cn\r", "|ls@b.cn\t", "a@b.c\u0301\u200d",
]  # fmt: skip

#: Links that must not get into a header or a page.
BAD_URLS = [
    "javascript:alert(1)", "data:text/html,x", "file:///etc/passwd", "ftp://x.cn/", "//x.cn/", "/u/1", "x.cn", "http://", "https://",
    "https:///x", "https://x.cn/ a", "https://x.cn/\r\nBcc: a@b.cn", "https://x.cn/>", "https://x.cn/<", "https://x.cn/\0",
    "https://x.cn/\u2028", "https://例子.中国/", "https://x.cn/字", 'https://x.cn/"', "https://x.cn/\\", "https://[::1", "https://x.cn/,",
    "https://x.cn/" + "a" * 1000,
]  # fmt: skip
