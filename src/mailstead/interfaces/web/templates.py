"""Pages from templates: everything is escaped, an undefined name is an error."""

from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from litestar import Request, Response
from markupsafe import Markup, escape

from mailstead.interfaces.identity import Identity
from mailstead.interfaces.reading.deception import ascii_domain
from mailstead.interfaces.web.assets import Assets
from mailstead.interfaces.web.language import Language
from mailstead.interfaces.web.services import WebServices
from mailstead.interfaces.web.told import told
from mailstead.interfaces.web.zone import zone_of

FOLDER = Path(__file__).parent / "templates"
LANGUAGE_COOKIE = "mailstead_language"
THEME_COOKIE = "mailstead_theme"
_THEMES = ("light", "dark")


def environment(assets: Assets) -> Environment:
    """The environment of all templates."""
    made = Environment(
        loader=FileSystemLoader(FOLDER),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    sprite = assets.url("icons.svg")

    def icon(name: str, label: str = "") -> Markup:
        told = f'role="img" aria-label="{escape(label)}"' if label else 'aria-hidden="true"'
        return Markup(f'<svg class="icon" {told}><use href="{sprite}#{escape(name)}"/></svg>')  # noqa: S704 both escaped

    made.globals["asset"] = assets.url
    made.globals["icon"] = icon
    made.globals["ascii_domain"] = ascii_domain
    return made


def language_of(request: Request[Any, Any, Any], services: WebServices) -> Language:
    """The language that was chosen, or the browser's."""
    chosen = services.languages.of(request.cookies.get(LANGUAGE_COOKIE, ""))
    return chosen or services.languages.accepted(request.headers.get("accept-language", ""))


def render(
    request: Request[Any, Any, Any],
    services: WebServices,
    template: str,
    *,
    identity: Identity | None = None,
    status: int = 200,
    headers: dict[str, str] | None = None,
    **values: Any,
) -> Response[bytes]:
    """The page of a template with `values`."""
    language, wall = language_of(request, services), zone_of(request)
    now = services.api.clock.now()
    theme = request.cookies.get(THEME_COOKIE, "")
    html = services.templates.get_template(template).render(
        _=language.gettext,
        ngettext=language.ngettext,
        say=lambda text: told(language, text),
        language=language,
        languages=services.languages.codes,
        moment=lambda seconds: language.moment(seconds, now, wall),
        identity=identity,
        csrf=identity.session.csrf if identity is not None and identity.session is not None else "",
        path=request.url.path,
        theme=theme if theme in _THEMES else "",
        **values,
    )
    return Response(html.encode(), status_code=status, media_type="text/html; charset=utf-8", headers=headers or {})
