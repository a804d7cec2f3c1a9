"""Patterns of what pages say, by language: missing, private, elsewhere only, later, only for humans.

A sentence is a noun, up to five more words, and what is said of it, or the other way round; so only short texts are
searched: titles, headings and pages of a few lines. The words are in `wordings`. Pure.
"""

from __future__ import annotations

import html
import re
import unicodedata
from functools import lru_cache, partial
from typing import NamedTuple

from streaming.health.judging.lazy_pattern import LazyPattern
from streaming.health.judging.site_pages import SITE_PAGE_WORDS
from streaming.health.judging.wordings import LANGUAGES, Language

PLAIN_LETTERS = str.maketrans("łøđħı’", "lodhi'")
"""Letters with marks that Unicode does not take apart."""


def normalize_text(text: str) -> str:
    """Return a text in lower case without accents and repeated blanks, to compare titles of pages and movies."""
    plain = html.unescape(text)
    if plain.isascii():  # As nearly all are; letter by letter is slow.
        return " ".join(plain.lower().split())
    plain = unicodedata.normalize("NFKD", plain).casefold().translate(PLAIN_LETTERS)
    return " ".join("".join(letter for letter in plain if not unicodedata.combining(letter)).split())


NEVER = LazyPattern(r"(?!)")


class Sentences(NamedTuple):
    """The patterns of one language. A text without one of `words` has none of them, and most texts have none.

    `denial` finds sentences that say that a page or file is missing, its group `between` is what stands between noun
    and verb; `heading_denial` also that a film is, which a synopsis may say of others. `condition`: what comes before a
    sentence that is not said of this page. `this_one`: the page's own film or file, not one of a story. `whole_title`:
    a part of a title that says by itself that something is missing; films have such titles, too. `nouns`: things and
    films. `not_yet`: words with which a sentence says that something is missing only until later; `now`: those with
    which it says that this is so now. The others say by themselves that a film is private, for others only, back
    later, or behind a wall.
    """

    words: LazyPattern
    denial: LazyPattern
    heading_denial: LazyPattern
    condition: LazyPattern
    this_one: LazyPattern
    whole_title: LazyPattern
    nouns: LazyPattern
    private: LazyPattern
    abroad: LazyPattern
    later: LazyPattern
    wall: LazyPattern
    not_yet: LazyPattern = NEVER
    now: LazyPattern = NEVER
    is_spaced: bool = True


THINGS = (
    "page|web ?page|file|video|item|content|document|recording|upload|transfer|resource|url|address|link|clip"
    "|programme|program"
)
FILMS = "movie|film|title|stream|media|show|episode|series|broadcast"
NOT = "could not|cannot|can not|can't|couldn't|was not|is not|isn't|wasn't|not"
ASKED = (
    "requested|want|are looking for|were looking for|tried to (?:reach|view|access|open|load|watch)"
    "|are trying to (?:reach|view|access|download|watch|open|play)"
    "|asked for|followed|have requested"
)
UNAVAILABLE = r"(?:un|not |isn't |no longer )available(?: to (?:watch|stream)| for (?:viewing|streaming))?"
# Not available in this one way, so the film exists.
NOT_THIS_WAY = (
    r"(?! (?:without\b|for download\b|offline\b|for (?:\w{1,10} ){0,2}(?:years|decades|centuries|time)\b"
    r"|on (?!(?:this|our|the|your|its) )\w|to (?!(?:you|watch|stream|view|play)\b)\w"
    r"|in (?:full|colou?r|print|its \w{1,20} (?:form|version|length))\b"
    r"|(?:in|on|for|with) (?:this|your|4k|hd|uhd) ?(?:[a-z]+ )?(?:browser|device|player|quality|\b)))"
)
# In other languages: followed by the way, as in "en 4K", "im Browser".
NOT_THIS_WAY_ABROAD = (
    r"(?! (?!(?:im|en este|in questo|pour l[e']|w tej|v tuto|в данныи)"
    r" ?(?:moment|augenblick|instant|chwili|chvili|момент))"
    r"(?:in|im|en(?! (?:replay|streaming|ligne|linea|rediffusion)\b)"
    r"|em|na|w|v|ve|pa|zum|als|pour|para|per|come|til|i|в|на|для|sans|ohne|senza|sin) )"
    # From other places: out of cinemas, off a list.
    r"(?! (?:des|du|de los|de las|da|das|dos|do|dalle|uit|aus|z|ze|из|fran) "
    r"(?!(?:site|serveur|ar|powodu|duvodu|divodu|rechtlichen|notre) ?))"
)
# Removed from other places: it is said of a film that is here.
NOT_ELSEWHERE = (
    r"(?! from (?!(?:our|this|the) (?:[\w']{1,20} ){0,2}?(?:sites?|websites?|web|internet|pages?|services?"
    r"|servers?|platform|library|catalogue|catalog|collections?|archives?|channel|systems?|database)\b))"
)
FILLER = r"(?:,? [\w']{1,20}){0,5}?"
# Not shown here until a year, or since one.
NOT_LONG_AGO = r"(?! (?:do|bis|jusqu'?\w*|seit|depuis|desde|hasta|fino|ate|tot|sinds|od|до|с|till|sedan|indtil) )"
COUNTRY = (
    "(?:the )?(?:united states|united kingdom|usa?|u\\.s\\.|uk|eu|european union|canada|germany|austria|switzerland"
    "|france|spain|italy|portugal|brazil|netherlands|belgium|poland|russia|czech republic|japan|sweden|denmark|norway"
    "|finland|australia|ireland|india|new zealand|certain (?:countries|regions)|some (?:countries|regions))"
)


def _alternatives(phrases: tuple[str, ...]) -> str:
    return "|".join(normalize_text(phrase) for phrase in phrases)


def _compiled(phrases: tuple[str, ...]) -> LazyPattern:
    return LazyPattern(partial(_alternatives, phrases)) if phrases else NEVER


def _english_denials(noun: str) -> str:
    """English sentences about this noun, a pattern; bounded, because pages may be hostile."""
    thing = rf"\b(?:{noun})(?: (?:that |which )?(?:you (?:{ASKED})|you're (?:looking for|trying to \w{{1,12}})))?"
    return (
        rf"{thing} (?:{NOT}) (?:be |currently )?(?:found|available|exist|accessible)\b{NOT_THIS_WAY}"
        rf"|{thing} (?:is |are )?(?:currently )?unavailable\b{NOT_THIS_WAY}"
        rf"|{thing} (?:is )?no longer (?:available|exists?|here|online|accessible|valid|streaming|playing)\b"
        rf"{NOT_THIS_WAY}"
        rf"|{thing} (?:does not|doesn't) exist\b(?! in (?!this|our))"
        rf"|{thing} (?:has been|have been|was|were|is) (?:(?:moved|archived),? (?:or )?)?"
        rf"(?:removed|deleted|taken down|gone|terminated|unpublished|disabled)\b{NOT_ELSEWHERE}"
        rf"|{thing} (?:has |is |was )?(?:already )?(?:expired|offline)\b{NOT_THIS_WAY}|{thing} is (?:dead|invalid)\b"
        rf"|{thing} (?:may|might|has|was) (?:have )?(?:been )?(?:moved|renamed)(?:,| or)"
        r"|\b(?:no such|(?:could not|couldn't|can't|cannot|unable to)(?: seem to)? find (?:that|this|the|your))"
        rf" (?:{noun})\b"
        rf"|{thing} (?:(?:is )?nowhere to be found|(?:is not|isn't) here)\b"
        rf"|\b(?:doesn't|does not) (?:appear|seem) to be an?y? (?:{noun}) (?:here|at this)\b"
        r"|\Aremoved (?:at the request of|due to|because of|for) "
        rf"|\b(?:is|was|'s) (?:no (?:{noun})|nothing|nothing found) (?:here\Z|(?:at|under) (?:this|that))"
        rf"|\bnothing (?:was |could be )?found (?:at|under) (?:this|that)\b"
        rf"|\bspecified (?:key|blob|object|resource|bucket) (?:does not|doesn't) exist\b"
        rf"|\brights (?:to|for) (?:this|the) (?:{noun}) (?:have|has) (?:expired|ended)\b"
    )


def _denials(language: Language, nouns: tuple[str, ...]) -> str:
    """Sentences of a language about these nouns, a pattern."""
    noun, missing = _alternatives(nouns), _alternatives(language.missing)
    if not language.spaced:
        return rf"(?:{noun})(?P<between>[^。.!！?？\n]{{0,20}}?)(?:{missing})(?!.{{0,3}}か、)"
    after = rf"\b(?:{noun})(?P<between>{FILLER}),? (?:{missing})\b{NOT_THIS_WAY_ABROAD}"
    verbs = _alternatives(tuple(one for one in language.no if " " in one))
    return rf"{after}|\b(?:{verbs}) (?:[\w']{{1,20}} ){{0,3}}?(?:{noun})\b" if verbs else after


def _this(language: Language) -> str:
    """The page's own thing in a language, a pattern: a noun beside one of the words that point at it."""
    noun, this = _alternatives((*language.things, *language.films)), _alternatives(language.this)
    if not language.spaced:
        return rf"(?:{this}).{{0,4}}?(?:{noun})"
    return rf"\b(?:{this}) (?:[\w']{{1,20}} )?(?:{noun})\b|\b(?:{noun}) (?:{this})\b"


def _abroad(language: Language) -> str:
    """Where the visitor is and a "not" near it, in either order, a pattern."""
    here, nots = _alternatives(language.here), _alternatives(language.nots)
    only = f"|{_alternatives(language.only_here)}" if language.only_here else ""
    if not language.spaced:
        return rf"(?:{here})[^。.!！?？\n]{{0,20}}?(?:{nots}){only}"
    return (
        rf"\b(?:{nots})\b(?:,? [\w']{{1,20}}){{0,5}}? (?:{here})\b{NOT_LONG_AGO}"
        rf"|\b(?:{here})(?:,? [\w']{{1,20}}){{0,4}}? (?:{nots})\b{only}"
    )


def _whole_title(language: Language) -> str:
    """A title of an error page, a pattern: alone or behind a noun, as in "Datei gelöscht"."""
    nouns, blank = _alternatives((*language.things, *language.films)), " " if language.spaced else ""
    return rf"(?:(?:{nouns}){blank})?(?:{_alternatives(language.titles)})"


def _conditional(ifs: tuple[str, ...]) -> str:
    """The beginning of a sentence up to what would be a denial without its "if", a pattern."""
    if not ifs:
        return r"(?:もし|万一|その後|以降)[^。]{0,40}\Z"
    return rf"(?:\A|[.!?,;:(] ?)(?:{_alternatives(ifs)})\b[^.!?]{{0,60}}\Z"


def _sentences(language: Language) -> Sentences:
    nouns = (*language.things, *language.films)
    return Sentences(
        words=LazyPattern(lambda: _any_word(_shortest(_words_of(language)))),
        denial=LazyPattern(partial(_denials, language, language.things)),
        heading_denial=LazyPattern(partial(_denials, language, nouns)),
        condition=LazyPattern(partial(_conditional, language.ifs)),
        this_one=LazyPattern(partial(_this, language)),
        whole_title=LazyPattern(partial(_whole_title, language)),
        nouns=LazyPattern(partial(_nouns, language)),
        private=_compiled(language.private),
        abroad=LazyPattern(partial(_abroad, language)),
        later=_compiled(language.later),
        wall=_compiled(language.robots),
        not_yet=_compiled(language.yet),
        now=_compiled(language.now),
        is_spaced=language.spaced,
    )


def _nouns(language: Language) -> str:
    """A thing or a film in a language, a pattern."""
    nouns = _alternatives((*language.things, *language.films))
    return rf"\b(?:{nouns})\b" if language.spaced else nouns


def _words_of(language: Language) -> frozenset[str]:
    return frozenset(normalize_text(f"{word}|")[:-1] for word in language.words)  # A blank at the end stays.


def _shortest(words: frozenset[str]) -> tuple[str, ...]:
    """Return the words that contain no other one of them."""
    return tuple(word for word in sorted(words) if not any(other in word for other in words - {word}))


def _any_word(words: tuple[str, ...]) -> str:
    """Any of these words, a pattern; numbers only by themselves, for the titles of films are full of longer ones."""
    numbers = "|".join(word for word in words if word.isdecimal())
    others = _any_of(tuple(word for word in words if not word.isdecimal()))
    return f"{others}|(?<![0-9])(?:{numbers})(?![0-9])" if numbers else others


def _any_of(words: tuple[str, ...]) -> str:
    """Any of these words, a pattern that tells at the first letters of most texts that there is none."""
    by_first_letter: dict[str, list[str]] = {}
    for word in words:
        by_first_letter.setdefault(word[:1], []).append(word[1:])
    if not all(by_first_letter):
        return ""
    branches = [f"{re.escape(first)}{_any_of(tuple(rest))}" for first, rest in by_first_letter.items()]
    return branches[0] if len(branches) == 1 else f"(?:{'|'.join(branches)})"


ENGLISH_WORDS = frozenset((
    "404", "410", "gone", "found", "find", "availab", "exist", "remov", "delet", "no longer", "taken down", "no such",
    "private", "privacy", "maintenance", "temporarily", "back", "again", "quota", "too many", "restrict",
    "accessible", "terminated", "suspended", "for sale", "parked", "blocked", "disabled", "expired", "offline",
    "invalid", "unpublished", "nothing", "missing", "is dead", "no page", "no file", "no video", "moved", "renamed",
    "only ", "outside", "only in", "works in", "password", "error", "overloaded", "moment", "cloudflare", "browser",
    "human", "robot", "a bot", "ddos", "cookies", "interruption", "captcha", "javascript", "traffic", "unsuccessful",
    "rejected", "denied", "automated", "security check", "in line", "verif", "limited by", "satisfied",
    "appear to be", "seem to be", "not here", "isn't here",
    "client challenge", "forbidden", "unauthorized", "rate limit", "banned", "attack id", "a vpn", "vpn or", "proxy",
    "firewall",
))  # fmt: skip
NOT_BESIDE_FILM = "".join(
    f"(?<!{thing} )"
    for thing in (
        "chat is",
        "hd is",
        "4k is",
        "subtitles are",
        "captions are",
        "comments are",
        "reviews are",
        "download is",
        "was",
        "were",
    )
)
"""What may be away while the film is there."""
ENGLISH = Sentences(
    words=LazyPattern(lambda: _any_word(_shortest(ENGLISH_WORDS))),
    denial=LazyPattern(partial(_english_denials, THINGS)),
    heading_denial=LazyPattern(partial(_english_denials, f"{THINGS}|{FILMS}")),
    condition=LazyPattern(
        r"\b(?:if|when|whenever|unless|until|should|why|in case|after (?:that|this date|which))\b[^.!?]{0,60}\Z"
    ),
    this_one=LazyPattern(
        rf"\b(?:this|that|your) (?:{THINGS}|{FILMS})\b|\b(?:{THINGS}|{FILMS}) (?:that |which )?you (?:{ASKED})\b"
    ),
    whole_title=LazyPattern(
        r"(?:error |http |http error |status )?(?:404|410)(?: error| page)?(?:[ ,.]{0,3}(?:page |file )?(?:not found"
        r"|gone))?"
        r"|(?:page |file |error )?not found|nothing (?:was )?(?:found|here)(?: here)?"
        r"|(?:oops|sorry|whoops|uh oh)[!,. ]{0,5}(?:page |file |video )?(?:not found|unavailable|gone)"
        rf"|(?:(?:the |this )?(?:{THINGS}|{FILMS}) )?(?:is |was |has been )?"
        r"(?:unavailable|removed|deleted|gone|not available|no longer available)"
        r"|(?:the |this )?(?:page|file|link|video|url) (?:is |has )?(?:missing|expired|offline|dead)"
        r"|no (?:content|page|video|file) found|there(?: isn't| is not) anything here(?: any ?more)?"
        r"|missing page|(?:dead|broken) link|invalid (?:\w{1,12} )?(?:id|link|url|address)"
        r"|account (?:deleted|closed|terminated)|invalid or deleted file|blog not found"
    ),
    nouns=LazyPattern(rf"\b(?:{THINGS}|{FILMS}|service|website|site)\b"),
    private=LazyPattern(
        rf"\b(?:this |the )(?:{THINGS}|{FILMS}) (?:is|has been (?:made|set to)|was made) (?:set to )?private\b"
        r"|\bbecause of its privacy settings\b|\Aprivate video\b|\b(?:this|a) is a private (?:video|page|file)(?! \w)"
    ),
    abroad=LazyPattern(
        rf"\b{UNAVAILABLE} (?:in|from) (?:your|this) (?:current |geographic |geographical )?"
        r"(?:country|region|location|area|territory)\b"
        rf"|\b(?:{THINGS}|{FILMS}|service|website|site) (?:is )?(?:currently )?{UNAVAILABLE} (?:outside"
        r"|where you (?:are|live))\b"
        r"|\b(?:blocked|restricted) (?:it |this )?(?:in|from) (?:your|this) (?:country|region|location|area)\b"
        r"|\bnot made (?:this|the) (?:video|content|film|movie) available in your country\b"
        r"|\bgeo-?(?:blocked|restricted)\b"
        rf"|\byou (?:appear|seem) to be outside {COUNTRY}(?!\w)"
        rf"|\b(?:available|viewed|watched|accessible|shown|works) only (?:\w{{1,12}} )?(?:in|within|from) {COUNTRY}\b"
        r"(?! (?:on|as) )"
        rf"|\bonly (?:be )?(?:available|viewed|watched|accessible|shown|works?) (?:\w{{1,12}} )?(?:in|within|from)"
        rf" {COUNTRY}(?! (?:and [\w ]{{1,20}})?(?:on|as) )(?!\w)"
    ),
    later=LazyPattern(
        r"\b(?:under|down for|scheduled|planned|undergoing|doing|site|server|routine|for) (?:\w{1,12} )?maintenance\b"
        r"|\bmaintenance (?:mode|break|work|in progress)\b"
        rf"|{NOT_BESIDE_FILM}\btemporarily (?:unavailable|offline|down|closed|out of (?:service|order)|disabled)\b"
        r"|\b(?:come|check) back (?:in an? |in \w{1,12} |later|soon|shortly)(?! for (?:more|new)\b)"
        r"|\b(?!we(?: are|'re) back online\b)(?:we|we'll|we're|site|website|service|archive|\A)"
        r"(?: will| are| is|'ll|'re)? ?(?:be )?(?:right )?back (?:soon|shortly|online|in)\b"
        r"|\btry (?:again|it again|accessing the \w{1,10} again) (?:later|in (?:a|an|\w{1,12}) (?:few |couple )?"
        r"(?:moments?|minutes?|hours?)|soon|shortly)\b(?! if\b| when\b)"
        r"|\b(?:too many (?:users|visitors|people)|over quota|quota (?:has been )?exceeded|exceeded (?:its|the)"
        r" \w{1,12} quota)\b|\bcritical error on this website\b|\bestablishing a database connection\b"
        r"|\b(?:stream|channel|broadcast|event) is (?:currently |now )?offline\b"
        r"|\bupstream connect error\b|\bservers? (?:is|are) overloaded\b|\bbandwidth limit exceeded\b"
    ),
    wall=LazyPattern(
        r"\b(?:just a moment|attention required! \| cloudflare|checking your (?:browser|connection)"
        r"|(?:are|verify|confirm|prove|sure|that|verifying) you(?: are|'re) (?:a )?(?:human|not a (?:ro)?bot)"
        r"|are you a robot|you(?: are|'re) not a (?:ro)?bot|that you are a bot|ddos-guard|ddos protection by"
        r"|please enable cookies(?! to (?:remember|save|keep|store))|does not accept cookies"
        r"|cookies are disabled|cookies disabled"
        r"|requires javascript to work|pardon our interruption|security check to access|(?:complete|solve) the captcha"
        r"|vercel security checkpoint|unusual traffic|request unsuccessful|requested url was rejected"
        r"|access to this page has been denied|automated requests|limited by the site owner|you have been blocked"
        r"|request could not be satisfied|request is blocked|(?:crowdsec|radware) (?:captcha|access)"
        r"|blocked by the application firewall|security detection powered by|(?:performing|powered by) security"
        r"|security verification|security service to protect|you are now in line|while your request is being verified"
        r"|verifying (?:your browser|the security of your connection)|vpn or proxy (?:detected|service|server)"
        r"|using an? (?:vpn|proxy|unblocker)"
        r"|review the security of your connection|human verification"
        r"|used cloudflare to restrict access|web page blocked!"
        r"|your ip (?:address )?(?:has been|is|was) (?:\w{1,12} )?blocked|you are being rate limited"
        r"|has banned you temporarily)"
    ),
    now=LazyPattern(r"\bcurrently\b|\b(?:at (?:the|this)|for the) (?:moment|time)\b"),
    not_yet=LazyPattern(r"\byet\b|\b(?:unavailable|(?:not|isn't|won't be) available) until\b"),
)
BARRED = LazyPattern(
    r"\b(?:playback on other (?:websites|sites|applications) (?:has been|is) disabled|blocked it from display on this"
    r"|(?:not|isn't) available on this app|(?:members|subscribers)[- ]only|premium members|requires payment"
    r"|(?:available|visible) (?:only )?(?:to|for) (?:[\w']{1,20} ){0,4}(?:members|subscribers|patrons)"
    r"|requires an? (?:\w{1,12} )?(?:subscription|account)|confirm your age|inappropriate for some users)\b"
)
"""Why a film is unavailable to us that is there for others."""
EXPIRED = LazyPattern(
    r"expir|abgelaufen|caducad|scadut|verlopen|wygas|истек|vyprsel|gatt ut|udløbet|utløpt|期限か切れ|終了|vanhentun"
    r"|lejart|doldu|no longer|ended"
)
COPYRIGHT = LazyPattern(
    r"copyright|urheberrecht|droits? d'auteur|derechos? de autor|diritt[oi] d'autore|direitos? (?:autora|de autor)"
    r"|auteursrecht|praw[ao]? autorsk|авторск\w{1,4} прав|авторськ\w{1,4} прав|autorsk\w{1,3} prav|upphovsratt"
    r"|ophavsret|opphavsrett|著作権|tekijanoikeu|szerzoi jog|telif|public domain|gemeinfrei"
    r"|domaine public|dominio publico"
)
"""A film whose copyright has expired is free to be shown."""
BESIDE_SUBJECT = LazyPattern(
    r"\b(?!(?:access|acces|acceso|accesso|acesso|zugang|zugriff|toegang|dostep|доступ|pristup|playback|streaming|viewing"
    r"|lecture|wiedergabe|reproduccion|riproduzione|reproducao|availability"
    rf"|{THINGS}|{FILMS})\b)\w{{1,30}} "
    r"(?:(?:for|of|to|about|with|fur|zu|von|uber|mit|de|pour|sur|para|sobre|di|per|van|voor"
    r"|bij|over|dla|do|z|для|про|pro|till|om|til|fra|av|af) (?:this|the|that|dies(?:e|er|es|em|en)|der|dem|den|cet?"
    r"|cette|la|est[ea]|quest[oa]|deze|dit|het|tej|tego|этого|этоі|цього|tento|tuto|tohoto|den har|det har|denne|dette)"
    r"|du|del|della|deste|desta) \Z"
)
"""Before a noun, it makes that one no subject: the trailer of this film is what is missing."""
OTHER_SUBJECT = LazyPattern(r"(?:の|に|には|ては)[^はか。]{1,12}(?:は|か)\Z")
PAST = LazyPattern(r"\b(?:war|waren|etait|etaient|estaba|estaban|era|eran|erano|eram)\b")
SOME = LazyPattern(
    r"\b(?:some|certain|many|manche|einige|certain(?:s|es)|quelques|algun[oa]s|alcun[ie]|sommige|niektore|некоторые"
    r"|деякі|nektera|nektere|vissa|nogle|noen|jotkut|bazi)\b|一部の"
)
"""Of some films, not of this one."""
AVAILABILITY = LazyPattern(
    r"availab|accessib|verfugbar|abrufbar|online|disponib|disponiv|accessib|beschikbaar|dostepn|доступ|dispozici"
    r"|dostupn|tillganglig|tilgængelig|tilgjengelig|利用|公開|配信|視聴|再生|閲覧|saatavilla|elerheto|mevcut"
)
"""One of these words is in a sentence that says when or for whom a film is there."""
ALL_SENTENCES = (ENGLISH, *(_sentences(language) for language in LANGUAGES.values()))


def _all_words(*more: str) -> str:
    """One of the words of all languages, or one of these, a pattern."""
    return _any_word(_shortest(ENGLISH_WORDS.union(more, *map(_words_of, LANGUAGES.values()))))


SUSPICIOUS_WORDS = LazyPattern(_all_words)
"""One word of each phrase."""
SUSPICIOUS_HEADING_WORDS = LazyPattern(partial(_all_words, *SITE_PAGE_WORDS))
INDEFINITE = frozenset(
    ("a", "an", "any", "some", "ein", "eine", "einen", "einem", "un", "une", "una", "uno", "um", "uma", "een", "en",
     "ett", "et", "pewien", "pewna", "один", "одна", "одно", "jeden", "jedna")
)  # fmt: skip
"""Before a noun, they make it one of a story."""


def is_suspicious(text: str) -> bool:
    """Return whether a text has one of the words of the phrases: most have none and need no closer look."""
    return SUSPICIOUS_WORDS.search(text) is not None


def is_suspicious_heading(text: str) -> bool:
    """Return whether a heading has one of the words of the phrases, or of the pages of a server or site itself."""
    return SUSPICIOUS_HEADING_WORDS.search(text) is not None


@lru_cache(maxsize=64)
def spoken_in(text: str) -> tuple[Sentences, ...]:
    """Return the languages of which a text has words: no sentence of another one is in it."""
    return tuple(sentences for sentences in ALL_SENTENCES if sentences.words.search(text))
