"""The sources of the sample web: what an operator would write into a sources file, and how each site is built."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class SampleSource:
    """One `[[source]]` of the sample web.

    `family` names the templates (`<family>_list.html`, `<family>_article.html`) or the builder; `zone` is the default
    zone of everything the source publishes, "" when it covers many.
    """

    name: str
    kind: str
    publisher: str
    family: str
    region: str
    zone: str = ""
    encoding: str = "utf-8"
    interval: str = "1h"


#: In the order of the loopback addresses they are served from.
SAMPLE_SOURCES: tuple[SampleSource, ...] = (
    SampleSource("cihu-zone", "portal", "慈湖高新区", "gov", "安徽", "马鞍山慈湖高新区"),
    SampleSource("wanjiang", "portal", "皖江观察网", "modern", "安徽"),
    SampleSource("zhongbu", "portal", "中部科技网", "oldtable", "湖北", encoding="gb18030"),
    SampleSource("changjiang", "rss", "长江园区资讯", "plain", "江苏"),
    SampleSource("beifang", "rss", "北方创新观察", "journal", "山东"),
    SampleSource("haixia", "sitemap", "海峡园区新闻", "coast", "福建"),
    SampleSource("gaoxin-daily", "epaper", "江城高新报", "founder", "湖北", interval="6h"),
    SampleSource("xibu-epaper", "epaper", "西部创新报", "founder", "四川", interval="6h"),
    SampleSource("page-pdf", "pdf", "沿江科技导报", "pagepdf", "陕西", interval="6h"),
    SampleSource("xian-cms", "cms", "西安高新区", "jpage", "陕西", "西安高新区"),
    SampleSource("chengdu-cms", "cms", "成都高新发布", "media", "四川", "成都高新区"),
    SampleSource("drop-folder", "folder", "来稿", "folder", "全国"),
    SampleSource("broken-portal", "portal", "失联资讯网", "broken", "全国"),
    SampleSource("silent-portal", "portal", "遵义高新区", "gov", "贵州", "遵义高新区"),
)
