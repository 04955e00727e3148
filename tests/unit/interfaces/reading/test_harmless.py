import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailstead.interfaces.reading.harmless import harmless

ZOO = {
    "script": "<p>a<script>alert(1)</script>b",
    "handler": "<img src=x onerror=alert(1)>",
    "javascript link": "<a href='javascript:alert(1)'>x</a>",
    "entity in scheme": "<a href='java&#115;cript:alert(1)'>x</a>",
    "tab in scheme": "<a href='java\tscript:alert(1)'>x</a>",
    "data page": "<a href='data:text/html,<script>alert(1)</script>'>x</a>",
    "svg": "<svg onload=alert(1)><script>alert(1)</script></svg>",
    "svg picture": "<img src='data:image/svg+xml;base64,PHN2Zy8+'>",
    "math": "<math><mtext><style><img src=x onerror=alert(1)></style></mtext></math>",
    "form": "<form action=https://evil.test><input name=password></form>",
    "frame": "<iframe src=https://evil.test></iframe>",
    "object": "<object data=https://evil.test></object><embed src=https://evil.test>",
    "meta": "<meta http-equiv=refresh content='0;url=https://evil.test'><base href=https://evil.test>",
    "style sheet": "<style>@import url(https://evil.test)</style><link rel=stylesheet href=https://evil.test>",
    "style background": "<div style='background:url(https://evil.test/x)'>x</div>",
    "style position": "<div style='position:fixed;top:0;z-index:9999'>x</div>",
    "comment": "<!--[if mso]><script>alert(1)</script><![endif]-->",
    "srcset": "<img srcset='https://evil.test/x 2x'>",
    "video": "<video poster=https://evil.test/x><source src=https://evil.test/y></video>",
    "noscript": "<noscript><p title='</noscript><img src=x onerror=alert(1)>'></noscript>",
    "bad url": "<img src='http://[::1'>",
}
FORBIDDEN = ("alert(1)", "evil.test", "<script", "<form", "<iframe", "<svg", "onerror", "position", "javascript:")


@pytest.mark.parametrize("source", ZOO.values(), ids=ZOO.keys())
def test_nothing_of_the_zoo_gets_through(source: str) -> None:
    html = harmless(source, lambda _: None).html.lower()
    assert not [word for word in FORBIDDEN if word in html], html


def test_what_people_write_stays() -> None:
    source = (
        '<p style="color: red; margin: 1px">a <b>b</b> <a href="https://a.test/x">c</a></p><table><tr><td colspan="2">d'
    )
    html = harmless(source, lambda _: None).html
    assert '<p style="color:red;margin:1px">' in html.replace(": ", ":").replace("; ", ";")
    assert 'href="https://a.test/x"' in html
    assert 'rel="noopener noreferrer nofollow"' in html
    assert 'target="_blank"' in html
    assert '<td colspan="2">d</td>' in html


def test_pictures_of_the_message_are_shown_and_remote_ones_counted() -> None:
    source = (
        '<img src="cid:one@x"><img src="cid:none"><img src="https://far.test/a.png"><img src="http://far.test/b.png">'
    )
    kept = harmless(source, {"one@x": "/part/2"}.get)
    assert kept.html.count("src=") == 1
    assert 'src="/part/2"' in kept.html
    assert kept.remote == 2
    asked = harmless(source, {"one@x": "/part/2"}.get, lambda url: f"/proxy?{len(url)}")
    assert asked.html.count("/proxy?") == 2
    assert asked.remote == 0


@given(st.text(alphabet="<>/=\"' abcisrpthfeo:;&#x()!-", max_size=200))
def test_any_source_gives_html_without_scripts(source: str) -> None:
    html = harmless(source, lambda _: None).html
    assert "<script" not in html
    again = harmless(html, lambda _: None).html
    assert harmless(again, lambda _: None).html == again
