from __future__ import annotations

import pytest

from crawler.classify.hosts import CityHosts, split_url
from store.vocabulary.places import load_prefectures


@pytest.fixture(scope="module")
def hosts() -> CityHosts:
    return CityHosts(load_prefectures())


@pytest.mark.parametrize(
    ("url", "city"),
    [
        ("https://gxq.luzhou.gov.cn/a.html", "泸州"),
        ("http://gaoxinqu.weinan.gov.cn:8080/x", "渭南"),
        ("http://gxq.yuxi.gov.cn/1", "玉溪"),
        ("http://gxq.ordos.gov.cn/1", "鄂尔多斯"),
        ("http://www.example.com/zhoubian/liaocheng/2020/1.html", "聊城"),
        ("https://epaper.subaonet.com/1", "苏州"),
        ("http://www.ahsz.gov.cn/zwzx/1.html", "宿州"),
        ("http://www.gdqy.gov.cn/x/1.html", "清远"),
        ("http://www.newsxa.cn/shaanxi/201910/1.html", "西安"),
    ],
)
def test_an_address_spells_its_city(hosts: CityHosts, url: str, city: str) -> None:
    assert hosts.city(url) == city


@pytest.mark.parametrize(
    "url",
    [
        "",
        "not an address",
        "http://[broken",
        "http://www.suzhou.com/1.html",  # two cities of that spelling, neither the government's
        "http://www.example.com/henan/news/1.html",
        "http://www.jsxf.gov.cn/1.html",
        "http://www.hnyl.gov.cn/1.html",
        "http://www.newsxa.cn/201910/1.html",
        "http://www.example.com/xian/1.html",
        "https://" + "a." * 5000 + "cn",
    ],
)
def test_an_address_that_leaves_it_open_has_no_city(hosts: CityHosts, url: str) -> None:
    assert hosts.city(url) is None


def test_a_url_is_split_into_host_and_path() -> None:
    assert split_url("http://user@WWW.Example.CN.:80/A/b?c") == ("www.example.cn", "/a/b")
