"""Pages that a site's guard shows instead of its own, whatever their status: verifications, blocks, scripts that set a cookie.

Told by what such pages are: hardly any text, and that asks something of the reader or refuses him; or no text at all and a
script that sets a cookie and loads the page once more. None of 148 real pages of the development sets is taken for one.
"""

from __future__ import annotations

import html
import re
from urllib.parse import urlsplit

from crawler.extract.decoding import decode
from store.text import clean_line

#: Bytes that are looked at; pages of guards with all their scripts within have up to 150 KB.
_MOST = 400_000
#: Characters a guard's page shows at most; fewer than any article's page; those of a page that works by script alone.
_MOST_SHOWN, _MOST_SURE, _MOST_BESIDE_SCRIPT = 500, 200, 80
#: Asks the reader to prove himself, or refuses him: what no article of so few words says.
_ASKS = re.compile(
    r"滑动(?:验证|滑块|下方)|(?:拖动|移动|滑动|按住).{0,8}滑块|(?:人机|行为|滑块)(?:验证|识别|校验)|访问(?:安全)?验证|访问(?:行为)?异常.{0,20}验证"
    r"|(?:请|需要?|须|正在)(?:您|先|你)?(?:完成|进行|通过|点击).{0,10}(?:验证|校验)(?!工作)|验证(?:后|通过后|成功后|完成后).{0,6}(?:继续|访问|浏览|跳转)"
    r"|(?:输入|填写).{0,10}验证码.{0,12}(?:继续|访问|浏览|解除|恢复)|确认(?:您|你)?不是机器人"
    r"|正在.{0,8}(?:检查|检测|验证|校验).{0,10}(?:浏览器|环境|安全)|浏览器(?:安全)?(?:检查|检测)(?:中|后)"
    r"|just a moment|checking (?:if the site connection|your browser)|verify(?:ing)? (?:that )?you(?:'re| are) (?:not a |a )?(?:human|robot)"
    r"|enable javascript and cookies to continue|complete the security check|unusual traffic|are you a robot",
    re.IGNORECASE,
)
_REFUSES = re.compile(
    r"(?:访问|请求|操作)(?:过于|太)频繁|(?:访问|请求|操作)(?:已)?(?:被|遭).{0,6}(?:拒绝|拦截|阻断|阻止|禁止|限制)|(?:ip|地址).{0,16}(?:被|已).{0,6}(?:封|禁止|拦截|限制|黑名单)"
    r"|(?:疑似|存在|包含|检测到).{0,8}(?:攻击|威胁|恶意|不合法|非法参数)|网站防火墙|云防护|云盾|创宇盾|安全狗|web应用防火墙|网站卫士|访问禁止"
    r"|access denied|request blocked|attention required|403 forbidden|you have been blocked|ddos protection",
    re.IGNORECASE,
)
#: What guards call their cookies, scripts and addresses; nobody else uses the names.
_NAMES = re.compile(
    r"__jsl_clearance\w*|acw_sc__v\d|_cf_chl_opt|cdn-cgi/challenge-platform|awswaf\w*|\$_ts\b|_waf_bd\w+|wzws_\w+|wzwsrel\w*|security_session_\w+"
    r"|yunsuo_session\w*|/\.safeline/|aliyun_waf\w*|aliyunwaf\w*|_guard/\w+|slider[_-]captcha|guardret",
    re.IGNORECASE,
)
_SETS_COOKIE = re.compile(
    r"document\.cookie\s{0,4}=(?!=)|document\[\s?['\"]cookie['\"]\s?\]\s{0,4}=(?!=)|setCookie\s?\("
)
_LOADS_AGAIN = re.compile(
    r"location\s{0,4}(?:\.href\s{0,4})?=(?!=)|location\.(?:reload|replace|assign)\s?\(|history\.go\s?\(\s?0"
)
_PICTURE = re.compile(
    r"<img\b[^<>]{0,300}(?:captcha|verif|valid|checkcode|vcode|yzm|randcode)[^<>]{0,300}>", re.IGNORECASE
)
_PASSWORD = re.compile(r"type\s{0,3}=\s{0,3}[\"']?password", re.IGNORECASE)
_ADDRESS = re.compile(
    r"(?:^|[/_.-])(?:captcha|waf_?verify|antispider|anti_bot|challenge|verify_?page|intercept)(?:[/_.-]|$)",
    re.IGNORECASE,
)
_TAG = re.compile(r"<[^<>]{0,3000}>")
_HIDDEN = re.compile("<script|<style|<!--", re.IGNORECASE)
_ENDS = {
    "<script": re.compile("</script[^<>]{0,20}>", re.IGNORECASE),
    "<style": re.compile("</style[^<>]{0,20}>", re.IGNORECASE),
    "<!--": re.compile("-->"),
}


def find_challenge(
    body: bytes, declared: str | None = None, url: str = "", asked: str = "", *, sure: bool = False
) -> str | None:
    """Return what shows that a page is a guard's and not the site's, in a line for an operator; None for any other page.

    `url` is where the page was found, `asked` what was asked for; `sure` is for pages that can also be read as an article.
    Linear in the size of the page; never raises.
    """
    if body[:5] == b"%PDF-":
        return None
    text = decode(body[:_MOST], declared).text
    scripts, markup = _parted(text)
    shown = clean_line(html.unescape(" ".join(_TAG.sub(" ", markup).split())))
    if len(shown) <= (_MOST_SURE if sure else _MOST_SHOWN):
        if found := _ASKS.search(shown) or (None if sure else _REFUSES.search(shown)):
            return f"the page asks or refuses: {_around(shown, found)}"
        if len(shown) <= _MOST_SURE and _PICTURE.search(markup) and not _PASSWORD.search(markup):
            return f"the page shows a picture to be typed in: “{shown[:80]}”"
    if len(shown) <= _MOST_BESIDE_SCRIPT:
        if found := _NAMES.search(text):
            return f"the page is nothing but a guard's script ({found[0][:40]})"
        if _SETS_COOKIE.search(scripts) and _LOADS_AGAIN.search(scripts):
            return "the page is nothing but a script that sets a cookie and loads it again"
    if not sure and url != asked and _ADDRESS.search(urlsplit(url).path):
        return None if _ADDRESS.search(urlsplit(asked).path) else f"it leads to {url[:200]}"
    return None


def _parted(text: str) -> tuple[str, str]:
    """Return (what stands in scripts, the markup without scripts, styles and comments)."""
    scripts, markup, at = [], [], 0
    while found := _HIDDEN.search(text, at):
        markup.append(text[at : found.start()])
        end = _ENDS[found[0].lower()].search(text, found.end())
        if found[0].lower() == "<script":
            scripts.append(text[found.end() : end.start() if end else len(text)])
        at = end.end() if end else len(text)
    markup.append(text[at:])
    return "\n".join(scripts), " ".join(markup)


def _around(text: str, found: re.Match[str]) -> str:
    start = max(0, found.start() - 15)
    return f"“{text[start : found.end() + 25].strip()}”"
