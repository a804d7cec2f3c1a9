"""Where a link has led: to an error page, a front page, a sign-in, a parked domain, or on to another page. Pure."""

from __future__ import annotations

import html
import re
from urllib.parse import unquote, urljoin, urlsplit

from scraper.net.url_policy import without_tracking
from streaming.health.judging import content
from streaming.health.judging.page_text import PLAYER, PageText, decode_page

LANGUAGES = "ar|bg|ca|cs|da|de|el|en|es|et|eu|fa|fi|fr|gl|he|hi|hr|hu|id|is|it|ja|ko|lt|lv|ms|nb|nl|nn|no|pl|pt|ro|ru"
COUNTRIES = "ae|at|au|be|br|ca|ch|cl|cn|co|cz|dk|eg|gb|gr|hk|ie|il|in|int|intl|global|jp|kr|lu|mx|nz|pe|ph|sa|se|sg"
REGION = rf"(?:{LANGUAGES}|sk|sl|sr|sv|th|tr|uk|vi|zh|{COUNTRIES}|tw|ua|us|za)"
HOME_PATH = re.compile(
    rf"/(?:(?:intl/)?{REGION}(?:[-_](?:[a-z]{{2}}|[a-z]{{4}}|[0-9]{{3}}))?(?:/|\Z)){{0,2}}"
    r"(?:(?:index|default|home|start|main|welcome|homepage)(?:\.[a-z]{3,5})?/?)?",
    re.I,
)
LOGIN_PATH = re.compile(
    r"/(?:log-?in|sign-?in|sign_in|signup|sso|oauth2?|auth|authenticate|authorize|consent|gdpr|session/new"
    r"|account/login"
    r"|users/sign_in|wp-login\.php|servicelogin|age-?(?:check|gate|verification)|cookie-?(?:wall|consent|absent)"
    r"|privacy-?(?:gate|wall)|subscribe-?wall|collectconsent)(?:[/._-]|\Z)",
    re.I,
)
GATE_FOLDERS = (
    rf"/(?:{REGION}(?:[-_][a-z]{{2}})?/){{0,2}}"
    r"(?:(?:users?|accounts?|members?|auth|konto|mein-konto|compte|mon-compte|cuenta|conta|profil)/)?"
)
GATE_PATH = re.compile(
    rf"{GATE_FOLDERS}(?:anmeld(?:en|ung)|einloggen|connexion|se-connecter|identification|iniciar-?sesion|acceder|acceso"
    r"|accedi|accesso|entrar|inloggen|aanmelden|logowanie|zaloguj(?:-sie)?|vhod|voiti|avtorizatsiya|prihlaseni"
    r"|prihlasit(?:-se)?|logga-?in|logg-?inn|log-?ind|kirjaudu|bejelentkezes|giris|password|passwort|register|join"
    r"|subscribe|subscription|abo|abonnement|paywall|members-?only"
    r"|(?:cookie-?|datenschutz-?)?(?:zustimmung|einwilligung)|consentement|consentimiento|consenso|consentimento|zgoda"
    r"|toestemming|souhlas|samtycke|samtykke|altersfreigabe|alters(?:abfrage|pruefung|verifikation|kontrolle)"
    r"|controle-?age|verifica-?eta|verificacion-?edad)(?:\.[a-z]{2,5})?/?",
    re.I,
)
"""Where sites of other languages have visitors sign in, consent or say their age; films may be called so elsewhere."""
LOGIN_HOSTS = ("accounts.", "login.", "signin.", "auth.", "sso.", "consent.", "idp.", "privacy.", "myprivacy.")
ERROR_NAME = (
    r"(?:(?:http|http-)?(?:error|err|errors|status)[-_]?(?:404|410)(?:[-_]?(?:error|page|not-?found|notfound))?"
    r"|(?:404|410)[-_]?(?:error|page|not-?found|notfound)"
    r"|(?:page|file|video|film|movie|item|content|error|oops)[-_]?(?:missing|unavailable|removed|deleted|gone|expired)"
    r"|(?:page|file|video|film|movie|item|content|error|oops)?[-_]?(?:not-?_?found|notfound|does-?not-?exist)"
    r"|errorpage|error[-_]?page|errordoc"
    r"|seite-?nicht-?gefunden|fehlerseite|page-?introuvable|pagina-?no-?encontrada"
    r"|pagina-?non-?trovata|pagina-?nao-?encontrada|niet-?gevonden|nie-?znaleziono)"
)
"""Names of error pages; `SHORT_NAME`: those that may be the number or the title of a film as well."""
SHORT_NAME = (
    r"(?:404|410|errors?|oops|lost|missing|unavailable|removed|deleted|gone|expired|fehler|erreur|introuvable|errore"
    r"|erro|blad|chyba|nenalezeno)"
)
SITE_FOLDERS = (
    rf"/(?:{REGION}(?:[-_][a-z]{{2}})?/){{0,2}}(?:(?:errors?|error-?pages?|pages?|static|status|site)/){{0,2}}"
)
"""Where a site has pages of its own, not its films."""
ERROR_PATH = re.compile(
    rf"(?:/(?:[^/]{{1,60}}/){{0,3}}{ERROR_NAME}|{SITE_FOLDERS}{SHORT_NAME})(?:\.[a-z]{{2,5}})?/?", re.I
)
ERROR_FOLDER = re.compile(r"/(?:errors?|errordocs?|error_docs|error-pages?)/[a-z0-9_-]{1,40}(?:\.[a-z]{2,5})?/?", re.I)
ERROR_VIDEO = re.compile(
    rf"/(?:[^/]{{1,60}}/){{0,6}}(?:{ERROR_NAME}|(?:file|video|film|movie|item|content)?[-_]?not[-_]?available)"
    rf"(?:[-_](?![0-9]{{4}}\.)[a-z0-9]{{1,8}})?\.(?:mp4|webm|m3u8|mov|flv|ts)|{SITE_FOLDERS}(?:videos?/)?(?:404|410|removed|deleted)"
    r"\.(?:mp4|webm|m3u8|mov|flv|ts)",
    re.I,
)
ERROR_QUERY = re.compile(
    r"(?:\A|&)(?:404;https?:|aspxerrorpath=|(?:error|err|status|errorcode|error_code|msg|message)=(?:404|410)(?:&|\Z)"
    r"|(?:\A|&)(?:error|err|status|errorcode|error_code|code|e|msg|message)="
    r"(?:not-?_?found|notfound|page_not_found|removed|deleted)(?:&|\Z))",
    re.I,
)
CHALLENGE_PATH = re.compile(
    r"/(?:sorry|showcaptcha|captcha|bot-?check|cdn-cgi/challenge-platform|\.well-known/(?:sg)?captcha)(?:[/?.]|\Z)",
    re.I,
)
SUSPENDED_PATH = re.compile(
    r"/(?:cgi-sys/(?:suspendedpage|defaultwebpage|movingpage)\.cgi"
    r"|(?:account[-_]?)?suspended(?:[-_]?page)?(?:\.[a-z]{2,5})?/?)",
    re.I,
)
OUTAGE_PATH = re.compile(
    rf"(?:{SITE_FOLDERS}(?:50[0-4]|maintenance|wartung|mantenimiento|offline|down|busy|overload)"
    r"|/(?:[^/]{1,60}/){0,2}(?:error[-_/]?50[0-4]|(?:site|under)-?maintenance|maintenance-?(?:page|mode)"
    r"|unavailable-?temporarily))(?:\.[a-z]{2,5})?/?",
    re.I,
)
ABROAD_PATH = re.compile(
    r"/(?:geo-?(?:block(?:ed|ing)?|restrict(?:ed|ions?)|fenced?|error)"
    r"|(?:not|un)-?available-?(?:in-?)?(?:your-?)?(?:country|region|location)"
    r"|(?:wrong|blocked|invalid|restricted)-?(?:country|region)|(?:country|region)-?(?:blocked|restricted|lock(?:ed)?))"
    r"(?:[/.]|\Z)",
    re.I,
)
SUSPENDED = re.compile(
    r"\b(?:this |the |your )?(?:account|site|website|web site|domain|hosting account) (?:has been |is |was )"
    r"(?:currently |temporarily )?(?:suspended|disabled|deactivated)\b|\Aaccount suspended\Z"
    r"|\bdiese (?:webprasenz|website|domain|seite) (?:wurde|ist) (?:vorubergehend )?gesperrt\b"
    r"|\bсаит (?:\S{1,20} )?(?:заблокирован|отключен|приостановлен) (?:\S{1,20} )?хостинг"
    r"|\bce (?:site|compte) (?:a ete|est) (?:temporairement )?(?:suspendu|desactive)\b"
    r"|\besta cuenta (?:ha sido|esta) suspendida\b|\b(?:questo )?(?:sito|account) (?:e (?:stato )?)?sospeso\b"
    r"|\b(?:ta )?strona (?:zosta[lł]a|jest) zawieszona\b|\besta conta (?:foi|esta) suspensa\b"
)
FOR_SALE = re.compile(
    r"\b(?:domain|domain name|website|web address)(?: name)?(?: [a-z0-9.-]{1,80})? (?:is |may be |could be |might be )?"
    r"(?:available )?for sale\b|\b[a-z0-9-]{1,63}\.[a-z]{2,12} (?:is|may be|could be) (?:available )?for sale\b"
    r"|\b(?:buy|purchase|get|inquire about|make an offer (?:for|on)|bid on) this domain\b"
    r"|\b(?:this )?domain (?:name )?(?:is |has been )?(?:parked|expired)\b|\bdomain (?:parking|market)\b"
    r"|\bparked (?:domain|web ?site|page)\b"
    r"|\b(?:diese|die) domain (?:\S{1,80} )?(?:steht zum verkauf|ist zu verkaufen|kaufen)\b|\bdomain zu verkaufen\b"
    r"|\bce (?:nom de )?domaine est (?:a vendre|en vente)\b|\bnom de domaine a vendre\b"
    r"|\beste dominio (?:esta|se encuentra|esta a) (?:en |a la )?venta\b|\bdominio en venta\b"
    r"|\b(?:questo )?dominio (?:e )?in vendita\b|\b(?:este )?dominio (?:esta )?a venda\b"
    r"|\b(?:deze )?domein(?:naam)? (?:\S{1,80} )?(?:is|staat) te koop\b|\b(?:ta )?domena (?:\S{1,80} )?(?:jest"
    r" )?na sprzedaz\b"
    r"|\bдомен (?:\S{1,80} )?(?:продается|продаётся)\b|\b(?:tato )?domena (?:\S{1,80} )?(?:je )?(?:na prodej|k"
    r" prodeji)\b"
    r"|\b(?:diese|die) website (?:\S{1,80} )?(?:steht zum verkauf|ist zu verkaufen)\b"
    r"|\b(?:domæne(?:navne)?t|domenet) (?:\S{1,80} )?er til salgs?\b"
    r"|\bdomanen (?:\S{1,80} )?ar till salu\b|このトメイン"
)
SALE_WORDS = ("domain", "domein", "domin", "domen", "doman", "domæn", "домен", "トメイン", "web", "account", "site",
              "sit", "саит", "compte", "cuenta", "conta", "strona", "parked",
              "seite", "for sale")  # fmt: skip
"""One of them is in each of these sentences."""
OF_THIS = re.compile(
    r"\b(?:this|your|dies|diese|ce|cet|este|questo|deze|ta|tato|это)\b|\w\.[a-z]{2,12}\b|parked|expired"
)
"""What makes a sentence of a text one about the page's own domain, not about one of a story."""
PARKING_MARKS = (
    "sedoparking.com", "parkingcrew.net", "d38psrni17bvxu.cloudfront.net", "bodis.com/", "wsimg.com/parking-lander",
    "parklogic.com", "skenzo.com", "above.com/marketplace", "hugedomains.com/domain_profile",
    "cdn.dan.com/assets/landing", "afternic.com/forsale", "parked-content.godaddy.com", "window.park =",
    "data-adblockkey=",
)  # fmt: skip
PARKING_HOST = re.compile(r"(?:ww[0-9]{1,3}\.|.{0,200}\b(?:hugedomains|sedo|afternic|dan|bodis|parkingcrew|undeveloped"
                          r"|domainmarket|buydomains|sav|atom|squadhelp|brandbucket)\.com\Z)")  # fmt: skip
PARKING_PATH = re.compile(
    r"/(?:domain_profile\.cfm|forsale/|domain/buy|buy-?domain|park(?:ed|ing)(?:[/.?]|\Z)|lander(?:[/?]|\Z))"
)
LANDER = re.compile(
    r"location(?:\.href)?\s{0,3}(?:=|\.(?:replace|assign)\s{0,3}\()\s{0,3}[\"'](?:/lander\b"
    r"|https?://(?:ww[0-9]{1,3}\.|[^\"'/]{1,80}"
    r"(?:sedo|bodis|parkingcrew|hugedomains|afternic|dan)\.))",
    re.I,
)
META = re.compile(r"<meta\b([^<>]{0,2000})>", re.I)
BASE = re.compile(r"<base\b[^<>]{0,300}?\bhref\s{0,20}=\s{0,20}[\"']?([^\s\"'<>]{1,2000})", re.I)
REFRESH_SECONDS = re.compile(r"([0-9]{1,6})(?:\.[0-9]{0,6})?(?=[;,\s])")
CONTENT_ATTRIBUTE = re.compile(
    r"\bcontent\s{0,20}=\s{0,20}(?:\"([^\"]{0,4000})\"|'([^']{0,4000})'|([^\s\"'>]{1,4000}))", re.I
)
IS_REFRESH = re.compile(r"\bhttp-equiv\s{0,20}=\s{0,20}[\"']?\s{0,20}refresh\b", re.I)
UNSEEN = re.compile(r"<(!--|(?:script|noscript|template|style|textarea)\b)", re.I)
ASCII_LOWER = {code: code + 32 for code in range(ord("A"), ord("Z") + 1)}
"""Keeps positions: some letters become longer in lower case."""
MAX_REFRESH_SECONDS = 15
MAX_STUB_BYTES = 16 * 1024


# --- on to another page
def meta_refresh_target(body: bytes, base_url: str, *, header: str = "") -> str | None:
    """Return the absolute URL that a page sends its visitors on to by a `meta` element; None: it keeps them.

    `header` is the one of the same name and meaning, empty for none.

    None, too, for a refresh of the page itself, for one after more than `MAX_REFRESH_SECONDS`, for one within scripts,
    comments or `noscript`, and for a page with a player: that one is meant to be watched. Pages of 64 KiB and of
    thousands of refreshes cost time in proportion to their length; the first refresh counts, as in browsers.
    """
    page = content.decompress(body)[:MAX_STUB_BYTES]
    if header:
        return None if PLAYER.search(decode_page(page).lower()) else _refresh_url(header, base_url)
    if b"refresh" not in page.lower():
        return None
    return refresh_target(decode_page(page), base_url)


def refresh_target(source: str, base_url: str) -> str | None:
    """`meta_refresh_target` for a page that is decoded."""
    if "http-equiv" not in source and "HTTP-EQUIV" not in source and "Http-Equiv" not in source:
        return None
    seen = _without_unseen(source[:MAX_STUB_BYTES])
    if "refresh" not in seen.lower() or PLAYER.search(seen.lower()):
        return None
    for meta in META.finditer(seen):
        if IS_REFRESH.search(meta[1]) and (stated := CONTENT_ATTRIBUTE.search(meta[1])):
            return _refresh_url(html.unescape(stated[1] or stated[2] or stated[3] or ""), _base_of(seen, base_url))
    return None


def _base_of(seen: str, url: str) -> str:
    """Return the URL to which those of a page are relative: its `base` element's, else its own."""
    stated = BASE.search(seen)
    try:
        return urljoin(url, html.unescape(stated[1]).strip()) if stated else url
    except ValueError:
        return url


def _refresh_url(stated: str, base_url: str) -> str | None:
    stated = stated.strip()
    refresh = REFRESH_SECONDS.match(stated)
    if refresh is None or int(refresh[1]) > MAX_REFRESH_SECONDS:
        return None
    location = stated[refresh.end() :].lstrip(";, \t\r\n")
    if location[:3].lower() == "url" and (rest := location[3:].lstrip()).startswith("="):
        location = rest[1:]
    try:
        target = urljoin(base_url, location.strip(" \t\r\n\"'"))
    except ValueError:
        return None
    is_same = target.partition("#")[0] == base_url.partition("#")[0]
    return None if is_same or not target.lower().startswith(("http://", "https://")) else target


def _without_unseen(source: str) -> str:
    """Return the source without scripts, comments and what only browsers without scripts read; in linear time."""
    lower = source.translate(ASCII_LOWER)
    pieces, position = [], 0
    for opening in UNSEEN.finditer(source):
        if opening.start() < position:
            continue
        pieces.append(source[position : opening.start()])
        position = lower.find("-->" if opening[1] == "!--" else f"</{opening[1].lower()}", opening.end())
        if position < 0:
            return "".join(pieces)
    return "".join([*pieces, source[position:]])


# --- where it ended
def is_login(url: str, final_url: str) -> bool:
    """Return whether a redirect led to a login or consent page, and the link itself is none."""
    requested, final = urlsplit(url), urlsplit(final_url)
    if LOGIN_PATH.search(final.path):
        return LOGIN_PATH.search(requested.path) is None
    if GATE_PATH.fullmatch(unquote(final.path)):
        return GATE_PATH.fullmatch(unquote(requested.path)) is None
    is_foreign = requested.hostname != final.hostname
    return is_foreign and (final.hostname or "").startswith(LOGIN_HOSTS)


def is_challenge(url: str, final_url: str) -> bool:
    """Return whether a redirect led to an address where bot walls ask their questions."""
    paths = [urlsplit(one).path for one in (url, final_url)]
    return CHALLENGE_PATH.match(paths[1]) is not None and CHALLENGE_PATH.match(paths[0]) is None


def is_home(url: str, final_url: str) -> bool:
    """Return whether a URL below the front page was redirected to a front page, be it that of a country."""
    requested, final = urlsplit(url), urlsplit(final_url)
    was_home = HOME_PATH.fullmatch(requested.path or "/") is not None and not requested.query
    if final.fragment:
        return False  # A page of a single-page application.
    return not was_home and HOME_PATH.fullmatch(final.path or "/") is not None and not without_tracking(final.query)


def is_error_page(url: str, final_url: str) -> bool:
    """Return whether a redirect led to an address that is an error page's, and the link's own is not."""
    return _has_error_address(final_url) and not _has_error_address(url)


def is_error_video(url: str, final_url: str) -> bool:
    """Return whether a redirect led to a video that by its name only says that another one is missing."""
    paths = [unquote(urlsplit(one).path) for one in (url, final_url)]
    return ERROR_VIDEO.fullmatch(paths[1]) is not None and ERROR_VIDEO.fullmatch(paths[0]) is None


def is_abroad_page(url: str, final_url: str) -> bool:
    """Return whether a redirect led to an address of a page for visitors of other countries."""
    paths = [unquote(urlsplit(one).path) for one in (url, final_url)]
    return ABROAD_PATH.search(paths[1]) is not None and ABROAD_PATH.search(paths[0]) is None


def is_outage_page(url: str, final_url: str) -> bool:
    """Return whether a redirect led to an address of a page for times of maintenance or overload."""
    paths = [unquote(urlsplit(one).path) for one in (url, final_url)]
    return OUTAGE_PATH.fullmatch(paths[1]) is not None and OUTAGE_PATH.fullmatch(paths[0]) is None


def is_parking_address(url: str, final_url: str) -> bool:
    """Return whether a redirect led to where parked domains and those for sale lead."""
    requested, final = urlsplit(url), urlsplit(final_url)
    host = final.hostname or ""
    if host != requested.hostname and PARKING_HOST.match(host):
        return True
    return PARKING_PATH.match(final.path.lower()) is not None and PARKING_PATH.match(requested.path.lower()) is None


def is_parked(page: PageText) -> bool:
    """Return whether a page sells its domain, or was put where a site's account is suspended or has expired."""
    if any(map(_is_sale, page.headings)) or _is_sale(page.body_text, of_this=True):
        return True
    if page.body_text or page.has_player or len(page.source) > MAX_STUB_BYTES:
        return False
    return LANDER.search(page.source) is not None or any(mark in page.source for mark in PARKING_MARKS)


def _is_sale(text: str, *, of_this: bool = False) -> bool:
    """Return whether a text offers its domain or says that its site is suspended; `of_this`: of this one by name."""
    if not any(word in text for word in SALE_WORDS):
        return False
    return any(
        not of_this or OF_THIS.search(sale[0]) or sale[0] == text.strip(" .!")
        for pattern in (FOR_SALE, SUSPENDED)
        for sale in pattern.finditer(text)
    )


def _has_error_address(url: str) -> bool:
    parts = urlsplit(url)
    path = unquote(parts.path)
    return (
        ERROR_PATH.fullmatch(path) is not None
        or ERROR_FOLDER.fullmatch(path) is not None
        or SUSPENDED_PATH.fullmatch(path) is not None
        or ERROR_QUERY.search(unquote(parts.query)) is not None
    )
