"""What pages say, in the languages of the sources' films: missing, private, elsewhere only, later.

Phrases are normalized like the text of pages: lower case, no accents. In a phrase, `(?:a|b)` and `x?` mean what they
mean in regular expressions. A sentence is a noun, up to five more words, and what is said of it, or the other way
round; so only short texts are searched: titles, headings and pages of a few lines. Pure.
"""

from __future__ import annotations

import html
import re
import unicodedata
from dataclasses import dataclass


def normalize_text(text: str) -> str:
    """Return a text in lower case without accents and repeated blanks, to compare titles of pages and movies."""
    plain = html.unescape(text)
    if plain.isascii():  # As nearly all are; letter by letter is slow.
        return " ".join(plain.lower().split())
    plain = unicodedata.normalize("NFKD", plain).casefold().replace("’", "'")
    return " ".join("".join(letter for letter in plain if not unicodedata.combining(letter)).split())


@dataclass(frozen=True, slots=True)
class Language:
    """The phrases of one language.

    `things`, `films`: nouns; a synopsis speaks of films that were removed, so these are read in headings only.
    `this`: words before a noun that mean the one of this page. `missing`: what follows such a noun; `no`: what comes
    before it. `titles`: whole titles of error pages. `private`, `abroad`, `later`: phrases that say so by themselves.
    `words`: one of them is in each of these phrases. `ifs`: at the start of a clause, they make a sentence say nothing
    of this page. `spaced`: words have blanks between them.
    """

    things: tuple[str, ...]
    films: tuple[str, ...]
    this: tuple[str, ...]
    missing: tuple[str, ...]
    no: tuple[str, ...] = ()
    titles: tuple[str, ...] = ()
    private: tuple[str, ...] = ()
    abroad: tuple[str, ...] = ()
    later: tuple[str, ...] = ()
    words: tuple[str, ...] = ()
    ifs: tuple[str, ...] = ()
    spaced: bool = True


LANGUAGES = {
    "de": Language(
        ifs=(
            "wenn",
            "falls",
            "sollte",
            "sobald",
        ),
        things=(
            "seite",
            "datei",
            "video",
            "videos",
            "inhalt",
            "inhalte",
            "beitrag",
            "dokument",
            "eintrag",
            "url",
            "adresse",
            "clip",
            "sendung",
            "stream",
            "ressource",
        ),
        films=("film", "folge", "episode", "serie", "titel"),
        this=("dies(?:e|er|es|en)", "gesuchten?", "gewunschten?", "angeforderten?", "aufgerufenen?"),
        missing=(
            "(?:wurde |konnte )?(?:leider )?nicht gefunden(?: werden)?",
            "nicht (?:mehr )?gefunden",
            "(?:existiert|gibt es|besteht) (?:leider )?(?:hier )?nicht(?: mehr)?",
            "(?:ist |sind )?(?:leider |derzeit )?nicht (?:mehr )?(?:verfugbar|vorhanden|auffindbar|abrufbar|online)",
            "nicht langer verfugbar",
            "(?:wurde|wurden|ist) (?:leider )?(?:vom \\w{1,20} )?(?:geloscht|entfernt)",
        ),
        no=("(?:kann|konnen|konnten) (?:wir )?(?:leider )?nicht finden", "kein(?:e|en)?"),
        titles=(
            "nicht gefunden",
            "fehler 404",
            "404 fehler",
            "seite nicht da",
            "nicht (?:mehr )?verfugbar",
            "geloscht",
        ),
        private=("(?:video|film|inhalt|seite) ist privat", "privates video", "nur fur (?:\\w{1,20} )?freunde sichtbar"),
        abroad=(
            "in (?:ihrem|deinem|diesem|deinem) (?:land|gebiet|standort)(?: leider)? nicht (?:\\w{1,12} )?"
            "(?:verfugbar|abrufbar|erlaubt|freigegeben)",
            "nicht (?:verfugbar|abrufbar|freigegeben) in (?:ihrem|deinem|diesem) (?:land|gebiet)",
            "(?:nur|ausschliesslich) in (?:deutschland|osterreich|der schweiz) (?:verfugbar|abrufbar)",
        ),
        later=(
            "wartungsarbeiten",
            "wartungsmodus",
            "(?:gerade|zurzeit|derzeit|momentan) gewartet",
            "vorubergehend nicht (?:erreichbar|verfugbar)",
            "versuchen sie es (?:bitte )?(?:spater|in \\w{1,20})",
            "versuche es spater",
            "bald wieder (?:da|zuruck|online|fur sie da)",
        ),
        words=(
            "nicht",
            "gelosch",
            "entfernt",
            "fehler",
            "privat",
            "wartung",
            "spater",
            "bald wieder",
            "kein",
            "nur in",
            "ausschliesslich",
            "gewartet",
        ),
    ),
    "fr": Language(
        ifs=(
            "si",
            "lorsque",
            "quand",
        ),
        things=(
            "page",
            "fichier",
            "video",
            "contenu",
            "document",
            "adresse",
            "url",
            "ressource",
            "publication",
            "enregistrement",
        ),
        films=("film", "episode", "serie", "titre"),
        this=("ce(?:t|tte)?", "demandee?", "recherchee?", "que vous (?:cherchez|recherchez|demandez)"),
        missing=(
            "(?:est |semble )?introuvables?",
            "n'(?:existe|existent) (?:pas|plus)",
            "n'(?:a|ont) (?:pas|pas pu) (?:ete |etre )?trouvee?s?",
            "(?:n'est |ne sont )?(?:pas|plus) disponibles?",
            "n'est (?:pas|plus) (?:accessible|en ligne)",
            "(?:a|ont) ete (?:supprime|retire|efface|enleve)e?s?",
            "(?:est )?indisponible",
            "non trouvee?s?",
            "inexistante?",
        ),
        no=(
            "(?:impossible de|ne (?:peut|pouvons|parvenons) pas(?: a)?) (?:re)?trouver",
            "aucune?",
            "n'avons pas trouve",
        ),
        titles=("introuvable", "erreur 404", "non trouvee?", "page inexistante", "supprimee?", "indisponible"),
        private=("(?:video|page|contenu) (?:est )?privee?",),
        abroad=(
            "(?:pas|plus) (?:disponibles?|accessibles?|autorisee?s?) (?:dans|depuis|en dehors de) (?:votre|ce|vos|la) "
            "(?:pays|region|zone|territoire|france)",
            "indisponible dans (?:votre|ce) (?:pays|region)",
        ),
        later=(
            "en (?:cours de )?maintenance",
            "maintenance en cours",
            "temporairement (?:indisponible|inaccessible)",
            "momentanement indisponible",
            "(?:revenez|reessayez) (?:plus tard|ulterieurement|dans)",
            "de retour (?:bientot|dans)",
            "bientot de retour",
        ),
        words=(
            "introuvab",
            "n'exist",
            "trouve",
            "disponib",
            "supprim",
            "retire",
            "efface",
            "enleve",
            "erreur",
            "inexist",
            "priv",
            "accessib",
            "maintenance",
            "plus tard",
            "reessay",
            "revenez",
            "retour",
            "autorise",
            "aucun",
            "n'est",
        ),
    ),
    "es": Language(
        ifs=(
            "si",
            "cuando",
        ),
        things=(
            "pagina",
            "archivo",
            "video",
            "contenido",
            "documento",
            "enlace",
            "direccion",
            "url",
            "recurso",
            "fichero",
            "publicacion",
        ),
        films=("pelicula", "film", "episodio", "serie", "titulo"),
        this=("est[ea]", "solicitad[oa]", "que (?:buscas?|busca|estas buscando|esta buscando)"),
        missing=(
            "no (?:(?:ha sido|fue|se ha|se pudo|pudo ser|se) )?(?:encontrad[oa]|encontrar|encontro|encuentra)",
            "(?:ya )?no (?:existen?|se encuentra)",
            "(?:ya )?no (?:esta|estan) (?:ya )?disponibles?",
            "(?:ha sido|fue|se ha|han sido) (?:eliminad|borrad|retirad)[oa]s?",
            "(?:inexistente|no disponible)",
        ),
        no=(
            "no (?:hemos podido|podemos|se pudo|se puede|pudimos|se ha podido) encontrar",
            "no (?:encontramos|se encontro|se encuentra|se ha encontrado)",
            "no hay ningun[a]?",
        ),
        titles=("no encontrad[oa]", "error 404", "no disponible", "eliminad[oa]", "no existe"),
        private=("(?:video|contenido|pagina) (?:es )?privad[oa]",),
        abroad=(
            "no (?:esta |se encuentra )?(?:disponible|permitido|accesible) (?:en|desde|fuera de) (?:su|tu|este|esta|"
            "la) (?:pais|region|zona|ubicacion|territorio)",
        ),
        later=(
            "en mantenimiento",
            "(?:por|tareas de) mantenimiento",
            "temporalmente (?:fuera de servicio|no disponible)",
            "(?:vuelva|vuelve|intentelo|intentalo|regrese) (?:a intentarlo )?(?:de nuevo )?mas tarde",
            "volvemos (?:pronto|enseguida)",
            "volveremos (?:pronto|en)",
        ),
        words=(
            "no ",
            "eliminad",
            "borrad",
            "retirad",
            "inexist",
            "privad",
            "error",
            "mantenimiento",
            "mas tarde",
            "volve",
            "temporal",
        ),
    ),
    "it": Language(
        ifs=(
            "se",
            "quando",
        ),
        things=("pagina", "file", "video", "contenuto", "documento", "indirizzo", "url", "risorsa", "elemento"),
        films=("film", "episodio", "serie", "titolo", "puntata"),
        this=("quest[oaei]", "richiest[oa]", "cercat[oa]", "che (?:stai|state|sta) cercando"),
        missing=(
            "non (?:e stat[oa] |e |sono stat[ie] )?trovat[oaie]",
            "non (?:esiste|esistono)(?: piu)?",
            "non (?:e |sono )?(?:piu |al momento )?disponibil[ei]",
            "(?:e|sono) stat[oaie] (?:rimoss|eliminat|cancellat)[oaie]",
            "inesistente",
        ),
        no=(
            "non (?:riusciamo|e possibile|siamo riusciti|abbiamo)(?: a)? trova(?:re|to)",
            "impossibile trovare",
            "nessun[oa]?",
        ),
        titles=("non trovat[oa]", "errore 404", "non disponibile", "rimoss[oa]", "pagina inesistente"),
        private=("(?:video|contenuto|pagina) (?:e )?privat[oa]",),
        abroad=(
            "non (?:e )?(?:disponibile|accessibile|visibile) (?:nel|in|dal|al di fuori del) (?:tuo|suo|vostro|questo|"
            "questa|tua) (?:paese|regione|area|territorio|zona)",
        ),
        later=(
            "in manutenzione",
            "(?:per|lavori di) manutenzione",
            "temporaneamente (?:non disponibile|fuori servizio)",
            "(?:riprova|riprovare|torna|tornate|riprovate) (?:piu tardi|tra|fra|presto)",
            "torniamo (?:presto|subito)",
            "torneremo (?:presto|tra)",
        ),
        words=(
            "non ",
            "rimoss",
            "eliminat",
            "cancellat",
            "inesist",
            "privat",
            "errore",
            "manutenzione",
            "piu tardi",
            "torn",
            "impossibile",
            "nessun",
            "riprova",
            "temporanea",
        ),
    ),
    "pt": Language(
        ifs=(
            "se",
            "quando",
            "caso",
        ),
        things=(
            "pagina",
            "arquivo",
            "ficheiro",
            "video",
            "conteudo",
            "documento",
            "endereco",
            "url",
            "recurso",
            "item",
        ),
        films=("filme", "episodio", "serie", "titulo"),
        this=("est[ea]", "ess[ea]", "solicitad[oa]", "que (?:procura|voce (?:procura|esta procurando))"),
        missing=(
            "nao (?:foi |foram |pode ser |pôde ser )?(?:encontrad[oa]s?)",
            "(?:ja )?nao (?:existe|existem)(?: mais)?",
            "(?:ja )?nao (?:esta|estao|se encontra) (?:mais )?disponive(?:l|is)",
            "nao disponivel",
            "(?:foi|foram) (?:removid|apagad|excluid|eliminad|deletad|retirad)[oa]s?",
            "(?:esta )?indisponivel",
            "inexistente",
        ),
        no=("nao (?:foi possivel|conseguimos|encontramos|conseguiu)(?: encontrar)?", "nenhuma?"),
        titles=("nao encontrad[oa]", "erro 404", "indisponivel", "removid[oa]", "nao disponivel"),
        private=("(?:video|conteudo|pagina) (?:e )?privad[oa]", "video particular"),
        abroad=(
            "(?:nao (?:esta )?disponivel|indisponivel) (?:no|na|em|para|fora do) (?:seu|sua|este|esta|teu) "
            "(?:pais|regiao|area|territorio|local)",
        ),
        later=(
            "em manutencao",
            "(?:para|por) manutencao",
            "temporariamente (?:indisponivel|fora do ar)",
            "(?:tente|volte|tenta|volta) (?:novamente )?(?:mais tarde|em breve)",
            "voltamos (?:em breve|ja)",
            "voltaremos (?:em breve|logo)",
        ),
        words=(
            "nao ",
            "removid",
            "apagad",
            "excluid",
            "eliminad",
            "deletad",
            "retirad",
            "indispon",
            "inexist",
            "privad",
            "particular",
            "erro ",
            "manutencao",
            "mais tarde",
            "volt",
            "nenhum",
            "temporaria",
        ),
    ),
    "nl": Language(
        ifs=(
            "als",
            "wanneer",
            "indien",
        ),
        things=("pagina", "bestand", "video", "inhoud", "document", "adres", "url", "item", "filmpje", "content"),
        films=("film", "aflevering", "serie", "titel"),
        this=("deze", "dit", "gevraagde", "opgevraagde", "die je zoekt", "die u zoekt"),
        missing=(
            "(?:is |kan |kon |werd )?(?:helaas )?niet (?:meer )?(?:gevonden|vinden)(?: worden)?",
            "bestaat (?:helaas )?niet(?: meer)?",
            "(?:is |zijn )?(?:helaas )?niet (?:meer )?(?:langer )?(?:beschikbaar|online|te vinden)",
            "(?:is|zijn|werd) (?:\\w{1,10} \\w{1,20} )?(?:verwijderd|gewist)",
        ),
        no=("(?:kunnen|konden|kan) (?:we |wij |ik )?(?:helaas )?niet (?:terug)?vinden", "geen"),
        titles=("niet gevonden", "fout 404", "niet (?:meer )?beschikbaar", "verwijderd"),
        private=("(?:video|pagina) is prive", "privevideo"),
        abroad=(
            "niet (?:beschikbaar|toegestaan|te bekijken) (?:in|vanuit|buiten) (?:jouw|je|uw|dit|deze) (?:land|regio|"
            "gebied|locatie)",
            "in (?:jouw|je|uw|dit) (?:land|regio) niet (?:beschikbaar|te bekijken)",
        ),
        later=(
            "(?:wegens|in|gepland) onderhoud",
            "onderhoudswerkzaamheden",
            "tijdelijk (?:niet beschikbaar|onbereikbaar|buiten gebruik)",
            "probeer het (?:later|over) ?(?:opnieuw|nog eens)?",
            "(?:zo|snel|binnenkort) (?:weer )?terug",
        ),
        words=("niet", "verwijderd", "gewist", "fout", "prive", "onderhoud", "later", "tijdelijk", "terug", "geen"),
    ),
    "pl": Language(
        ifs=(
            "jesli",
            "jezeli",
            "gdy",
            "kiedy",
        ),
        things=(
            "strona",
            "strony",
            "plik",
            "pliku",
            "wideo",
            "film wideo",
            "nagranie",
            "material",
            "materialu",
            "tresc",
            "tresci",
            "dokument",
            "dokumentu",
            "adres",
            "zawartosc",
        ),
        films=("film", "filmu", "odcinek", "odcinka", "serial", "tytuł"),
        this=("ta", "ten", "to", "tej", "tego", "szukan[aey](?:go|j)?", "zadan[aey](?:go|j)?"),
        missing=(
            "(?:nie (?:został[aoy]?|zostala) (?:odnalezion[aey]|znalezion[aey])|nie znalezion[oay])",
            "(?:juz )?nie istnieje",
            "nie jest (?:juz )?dostepn[aey]",
            "jest (?:juz )?niedostepn[aey]",
            "(?:został[aoy]?|zostala) (?:przez \\w{1,20} )?(?:usuniet[aey]|skasowan[aey])",
            "niedostepn[aey]",
            "nie jest juz dostepn[aey]",
        ),
        no=(
            "nie (?:mozna|udalo sie|udało sie|mozemy|moglismy) (?:znalezc|odnalezc)",
            "nie (?:znaleziono|odnaleziono)",
            "nie ma (?:takiej|takiego|juz)",
        ),
        titles=("nie znaleziono", "bład 404", "niedostepn[aey]", "usuniet[aey]", "brak strony", "nie istnieje"),
        private=("(?:film|wideo|material|strona) (?:jest )?prywatn[aey]",),
        abroad=(
            "(?:niedostepn[aey]|nie jest dostepn[aey]) (?:w|na|poza) (?:twoim|panstwa|tym|twojej|twoim) "
            "(?:kraju|regionie|lokalizacji|obszarze)",
        ),
        later=(
            "przerwa techniczna",
            "prace (?:konserwacyjne|techniczne|serwisowe)",
            "chwilowo (?:niedostepn[aey]|nieczynn[aey])",
            "tymczasowo niedostepn[aey]",
            "(?:sprobuj|prosimy sprobowac|wroc|zajrzyj) (?:ponownie )?(?:pozniej|za)",
            "wkrotce wracamy",
            "zaraz wracamy",
        ),
        words=(
            "nie ",
            "niedostepn",
            "usuniet",
            "skasowan",
            "bład",
            "brak ",
            "prywatn",
            "przerwa",
            "prace ",
            "pozniej",
            "wracamy",
            "tymczasowo",
            "chwilowo",
        ),
    ),
    "ru": Language(
        ifs=(
            "если",
            "когда",
        ),
        things=(
            "страница",
            "страницы",
            "страницу",
            "файл",
            "видео",
            "видеозапись",
            "ролик",
            "видеоролик",
            "материал",
            "документ",
            "контент",
            "запись",
            "адрес",
            "ресурс",
        ),
        films=("фильм", "фильма", "серия", "сериал", "кино", "передача"),
        this=("эт(?:а|о|от|ой|ого)", "данн(?:ая|ое|ыи)", "запрашиваем(?:ая|ое|ыи)", "запрошенн(?:ая|ое|ыи)"),
        missing=(
            "не (?:был[ао]? )?наиден[аоы]?",
            "(?:больше )?не существует",
            "(?:больше |сеичас )?не ?доступ(?:ен|на|но|ны)",
            "(?:был[ао]? )?(?:удален|удалено|удалена|удалены)",
            "отсутствует",
        ),
        no=("не (?:удалось|можем|удается) наити", "нет так(?:ои|ого)", "не наден[ао]?", "не наиден[ао]?"),
        titles=("не наиден[ао]", "ошибка 404", "недоступ(?:ен|на|но)", "удален[ао]?", "страница не наидена"),
        private=(
            "(?:приватное|закрытое|частное) видео",
            "видео (?:является )?(?:приватным|закрытым)",
            "доступ к видео ограничен",
        ),
        abroad=(
            "не ?доступ(?:ен|на|но) (?:для просмотра )?(?:в|на территории|из) (?:вашеи|вашем|этои) (?:стран[еы]"
            "|регион[еа])",
            "(?:в|для) ваше(?:и|го|м) (?:стране|региона|регионе) (?:видео |просмотр )?не ?доступ(?:ен|но|на)",
        ),
        later=(
            "технические работы",
            "техническое обслуживание",
            "временно недоступ(?:ен|на|но)",
            "(?:попробуите|заидите|повторите|вернитесь) (?:\\w{1,12} )?(?:позже|позднее|через)",
            "скоро вернемся",
        ),
        words=(
            "не",
            "удален",
            "ошибка",
            "отсутству",
            "нет ",
            "приватн",
            "закрыт",
            "частн",
            "ограничен",
            "технич",
            "позже",
            "позднее",
            "скоро",
            "временно",
        ),
    ),
    "cs": Language(
        ifs=(
            "pokud",
            "kdyz",
            "jestli(?:ze)?",
        ),
        things=("stranka", "stranku", "soubor", "video", "obsah", "dokument", "adresa", "zaznam", "prispevek"),
        films=("film", "dil", "serial", "epizoda", "porad"),
        this=("tat?o", "toto", "tento", "pozadovan[aye]", "hledan[aye]"),
        missing=(
            "(?:nebyl[ao]?|nebyla|neni) (?:bohuzel )?nalezen[ao]?",
            "(?:jiz |uz )?neexistuje",
            "(?:jiz |uz )?neni (?:jiz |uz |bohuzel )?(?:k dispozici|dostupn[aye]|v nabidce)",
            "(?:byl[ao]?) (?:odstranen|smazan|vymazan)[ao]?",
            "nenalezen[ao]?",
            "nedostupn[aye]",
        ),
        no=("(?:nelze|nemuzeme|nepodarilo se|nemohli jsme) (?:\\w{1,12} )?(?:najit|nalezt)", "zadn[aye]"),
        titles=("nenalezen[ao]", "chyba 404", "nedostupn[aye]", "smazan[ao]?", "neexistuje"),
        private=("(?:video|obsah|stranka) je soukrom[aye]", "soukrome video"),
        abroad=(
            "(?:neni (?:\\w{1,12} )?(?:dostupn[aye]|k dispozici)|nedostupn[aye]) (?:ve|v|z|mimo) (?:vasi|vasem"
            "|teto|tve) "
            "(?:zemi|regionu|oblasti|lokalite)",
            "ve vasi zemi (?:neni|nedostupn[aye])",
        ),
        later=(
            "(?:probiha|planovana) (?:planovana )?(?:udrzba|odstavka)",
            "docasne (?:nedostupn[aye]|mimo provoz)",
            "(?:zkuste|vratte se|prijdte) (?:to )?(?:prosim )?(?:znovu )?pozdeji",
            "brzy (?:jsme|budeme) zpet",
        ),
        words=(
            "neni",
            "nebyl",
            "neexist",
            "nenalez",
            "nedostup",
            "odstranen",
            "smazan",
            "vymazan",
            "chyba",
            "nelze",
            "nepodar",
            "nemuzeme",
            "nemohli",
            "soukrom",
            "udrzba",
            "odstavka",
            "pozdeji",
            "docasne",
            "brzy",
            "zadn",
        ),
    ),
    "sv": Language(
        ifs=(
            "om",
            "nar",
        ),
        things=(
            "sidan",
            "sida",
            "filen",
            "videon",
            "video",
            "klippet",
            "innehallet",
            "innehall",
            "dokumentet",
            "adressen",
        ),
        films=("filmen", "film", "avsnittet", "programmet", "serien"),
        this=("den har", "det har", "som du (?:soker|letar efter)", "du (?:soker|letar efter|begarde)"),
        missing=(
            "(?:kunde |kan )?(?:tyvarr )?(?:inte|ej) (?:kunde )?(?:hittas|hittades)",
            "hittades (?:tyvarr )?(?:inte|ej)",
            "finns (?:tyvarr )?(?:inte|ej)(?: langre)?(?: kvar)?",
            "(?:ar )?(?:tyvarr )?(?:inte|ej) (?:langre )?(?:tillganglig|tillgangligt|kvar)",
            "(?:har|ar) (?:blivit )?(?:tagits bort|borttage[nt]|raderats?|raderad)",
            "otillganglig",
        ),
        no=("(?:kunde|kan) (?:vi )?(?:tyvarr )?inte hitta", "hittade inte", "ingen"),
        titles=("(?:hittades|finns) inte", "fel 404", "sidan saknas", "borttage[nt]", "inte tillganglig"),
        private=("(?:videon|sidan|klippet) ar privat", "privat video"),
        abroad=(
            "inte tillgangligt? (?:i|fran|utanfor) (?:ditt|detta|din) (?:land|region|omrade)",
            "(?:kan )?inte (?:ses|visas|spelas) (?:i|fran|utanfor) (?:ditt land|detta land|sverige)",
        ),
        later=(
            "(?:pagaende|planerat|under) underhall",
            "underhallsarbete",
            "tillfalligt (?:otillganglig|nere|stangd)",
            "(?:forsok|prova|kom tillbaka) (?:igen )?senare",
            "snart tillbaka",
        ),
        words=(
            "inte",
            " ej",
            "saknas",
            "bort",
            "radera",
            "fel ",
            "privat",
            "underhall",
            "senare",
            "snart",
            "otillgang",
            "tillfallig",
            "ingen",
        ),
    ),
    "ja": Language(
        things=("ページ", "ファイル", "動画", "コンテンツ", "映像", "ビデオ", "記事", "url"),
        films=("映画", "作品", "番組"),
        this=("この", "お探しの", "ご指定の", "要求された", "指定された"),
        missing=(
            "見つかりません",
            "見つかりませんでした",
            "存在しません",
            "存在しない",
            "削除され",
            "削除済み",
            "ご利用いただけません",
            "利用できません",
            "公開を終了",
            "配信を終了",
            "配信は終了",
            "掲載を終了",
            "表示できません",
            "ありません",
        ),
        titles=("見つかりません(?:でした)?", "404エラー", "エラー404", "ページがありません", "存在しません"),
        private=("非公開(?:動画|の動画|です|に設定)", "限定公開の"),
        abroad=("お住まいの(?:国|地域)(?:では|から)", "お使いの(?:国|地域)では", "(?:日本)?国外(?:では|から)"),
        later=(
            "メンテナンス",
            "一時的に(?:ご)?利用",
            "しばらく(?:して|経って|たって)から",
            "後ほど(?:もう一度|再度|お試し)",
            "時間をおいて",
        ),
        words=(
            "見つかり",
            "存在し",
            "削除",
            "利用",
            "終了",
            "ません",
            "エラー",
            "非公開",
            "国",
            "地域",
            "メンテナンス",
            "しばらく",
            "後ほど",
            "時間を",
            "限定公開",
        ),
        spaced=False,
    ),
}

THINGS = "page|file|video|item|content|document|recording|upload|resource|url|address|link|clip"
FILMS = "movie|film|title|stream|media|show|episode"
NOT = "could not|cannot|can not|can't|couldn't|was not|is not|isn't|wasn't|not"
ASKED = (
    "requested|want|are looking for|were looking for|tried to (?:reach|view|access)|are trying to (?:reach|view|access)"
)
UNAVAILABLE = r"(?:un|not |isn't |no longer )available(?: to (?:watch|stream)| for (?:viewing|streaming))?"
# Not available in this one way, so the film exists.
NOT_THIS_WAY = (
    r"(?! (?:without\b|for download\b|offline\b"
    r"|(?:in|on|for|with) (?:this|your|4k|hd|uhd) ?(?:[a-z]+ )?(?:browser|device|player|quality|\b)))"
)
# In other languages: followed by the way, as in "en 4K", "im Browser".
NOT_THIS_WAY_ABROAD = (
    r"(?! (?:in|im|en|em|na|w|v|ve|pa|zum|als|pour|para|per|come|do|til|i|в|на|для|sans|ohne|senza|sin) )"
)
FILLER = r"(?:,? [\w']{1,20}){0,5}?"


def _alternatives(phrases: tuple[str, ...]) -> str:
    return "|".join(normalize_text(phrase) for phrase in phrases)


def _english_denials(noun: str) -> str:
    """English sentences about this noun, a pattern; bounded, because pages may be hostile."""
    thing = rf"\b(?:{noun})(?: (?:that |which )?you (?:{ASKED}))?"
    return (
        rf"{thing} (?:{NOT}) (?:be )?(?:found|available|exist|accessible)\b{NOT_THIS_WAY}"
        rf"|{thing} (?:is |are )?(?:currently )?unavailable\b{NOT_THIS_WAY}"
        rf"|{thing} (?:is )?no longer (?:available|exists?|here|online|accessible)\b{NOT_THIS_WAY}"
        rf"|{thing} (?:does not|doesn't) exist\b"
        rf"|{thing} (?:has been|have been|was|were|is) (?:removed|deleted|taken down|gone|terminated)\b"
        rf"|\b(?:no such|(?:could not|couldn't|can't|cannot) find (?:that|this|the|your)) (?:{noun})\b"
    )


def _denials(language: Language, nouns: tuple[str, ...]) -> str:
    """Sentences of a language about these nouns, a pattern."""
    noun, missing, no = _alternatives(nouns), _alternatives(language.missing), _alternatives(language.no)
    if not language.spaced:
        return rf"(?:{noun})[^。.!！?？\n]{{0,20}}?(?:{missing})"
    after = rf"\b(?:{noun}){FILLER},? (?:{missing})\b{NOT_THIS_WAY_ABROAD}"
    verbs = "|".join(one for one in language.no if " " in one)
    return rf"{after}|\b(?:{normalize_text(verbs)}) (?:[\w']{{1,20}} ){{0,3}}?(?:{noun})\b" if no and verbs else after


def _this(language: Language) -> str:
    """The page's own thing in a language, a pattern: a noun beside one of the words that point at it."""
    noun, this = _alternatives((*language.things, *language.films)), _alternatives(language.this)
    if not language.spaced:
        return rf"(?:{this}).{{0,4}}?(?:{noun})"
    return rf"\b(?:{this}) (?:[\w']{{1,20}} )?(?:{noun})\b|\b(?:{noun}) (?:{this})\b"


def _conditional(ifs: tuple[str, ...]) -> str:
    """The beginning of a sentence up to what would be a denial without its "if", a pattern."""
    return rf"(?:\A|[.!?,;:(] ?)(?:{_alternatives(ifs)})\b[^.!?]{{0,60}}\Z"


DENIALS_IN_TEXT = {
    "en": re.compile(_english_denials(THINGS)),
    **{code: re.compile(_denials(language, language.things)) for code, language in LANGUAGES.items()},
}
"""Sentences that say that a page or file is missing; in a text a film may be removed, as in a synopsis."""
DENIALS_IN_HEADING = {
    "en": re.compile(_english_denials(f"{THINGS}|{FILMS}")),
    **{
        code: re.compile(_denials(language, (*language.things, *language.films)))
        for code, language in LANGUAGES.items()
    },
}
CONDITIONALS = {
    "en": re.compile(r"\b(?:if|when|whenever|unless|until|should)\b[^.!?]{0,60}\Z"),
    **{code: re.compile(_conditional(language.ifs)) for code, language in LANGUAGES.items() if language.ifs},
    "ja": re.compile(r"(?:もし|万一)[^。]{0,40}\Z"),
}
"""What comes before a sentence that is not said of this page: "if the video is not found, ..."."""
ASKED_DENIAL = re.compile(
    rf"\b(?:{FILMS}) you (?:{ASKED}) (?:(?:{NOT}) (?:be )?(?:found|available)|(?:does not|doesn't) exist"
    r"|(?:has been|was|is) (?:removed|deleted|gone|no longer available))\b"
)
"""A film, but the one that was asked for."""
THIS_ONE = re.compile(
    rf"\b(?:this|that|your) (?:{THINGS}|{FILMS})\b|\b(?:{THINGS}|{FILMS}) (?:that |which )?you (?:{ASKED})\b|"
    + "|".join(_this(language) for language in LANGUAGES.values())
)
"""The page's own film or file, not one of a story."""
WHOLE_TITLE = re.compile(
    r"(?:error |http |http error |status )?(?:404|410)(?: error| page)?(?:[ ,.]{0,3}(?:page |file )?(?:not found"
    r"|gone))?"
    r"|(?:page |file |error )?not found"
    r"|(?:oops|sorry|whoops|uh oh)[!,. ]{0,5}(?:page |file |video )?(?:not found|unavailable|gone)"
    rf"|(?:(?:the |this )?(?:{THINGS}|{FILMS}) )?(?:is |was |has been )?"
    r"(?:unavailable|removed|deleted|gone|not available|no longer available)|"
    + "|".join(_alternatives(language.titles) for language in LANGUAGES.values())
)
"""A part of a title that says by itself that something is missing; films have such titles, too."""
PRIVATE = re.compile(
    rf"\b(?:this |the )(?:{THINGS}|{FILMS}) (?:is|has been (?:made|set to)|was made) (?:set to )?private\b"
    r"|\bbecause of its privacy settings\b|\Aprivate video\b|\b(?:this|a) is a private (?:video|page|file)\b|"
    + "|".join(_alternatives(language.private) for language in LANGUAGES.values())
)
ABROAD = re.compile(
    rf"\b{UNAVAILABLE} (?:in|from) (?:your|this) (?:current |geographic |geographical )?"
    r"(?:country|region|location|area|territory)\b"
    rf"|\b(?:{THINGS}|{FILMS}) (?:is )?(?:currently )?{UNAVAILABLE} (?:outside|where you (?:are|live))\b"
    r"|\b(?:blocked|restricted) (?:it |this )?(?:in|from) (?:your|this) (?:country|region|location|area)\b"
    r"|\bnot made (?:this|the) (?:video|content|film|movie) available in your country\b|"
    + "|".join(_alternatives(language.abroad) for language in LANGUAGES.values())
)
LATER = re.compile(
    r"\b(?:under|down for|scheduled|planned|undergoing|site|server|routine|for) (?:\w{1,12} )?maintenance\b"
    r"|\bmaintenance (?:mode|break|work|in progress)\b"
    r"|\btemporarily (?:unavailable|offline|down|closed|out of (?:service|order))\b"
    r"|\b(?:come|check) back (?:in an? |in \w{1,12} |later|soon|shortly)|\b(?:be|are) (?:right )?back (?:soon"
    r"|shortly|online|in)\b"
    r"|\btry (?:again|it again) (?:later|in (?:a|an|\w{1,12}) (?:few |couple )?(?:moments?|minutes?|hours?)|soon"
    r"|shortly)\b"
    r"|\b(?:too many (?:users|visitors|people)|over quota|quota (?:has been )?exceeded|exceeded (?:its|the)"
    r" \w{1,12} quota)\b|" + "|".join(_alternatives(language.later) for language in LANGUAGES.values())
)
"""Temporary states: no film is missing for that."""
_ENGLISH_WORDS = (
    "404", "410", "gone", "found", "find", "availab", "exist", "remov", "delet", "no longer", "taken down", "no such",
    "private", "privacy", "maintenance", "temporarily", "back", "later", "again", "quota", "too many", "restricted",
    "accessible", "terminated", "suspended", "for sale", "parked", "blocked",
    # of bot walls
    "moment", "cloudflare", "browser", "human", "robot", "a bot", "ddos", "cookies", "interruption", "captcha",
    "javascript", "traffic", "unsuccessful", "rejected", "denied", "automated", "security check",
)  # fmt: skip


def _shortest(words: set[str]) -> tuple[str, ...]:
    """Return the words that contain no other one of them."""
    return tuple(word for word in sorted(words) if not any(other in word for other in words - {word}))


SUSPICIOUS_WORDS = _shortest(
    {normalize_text(f"{word}|")[:-1] for language in LANGUAGES.values() for word in language.words}
    | set(_ENGLISH_WORDS)
)
"""One word of each phrase."""
ASCII_SUSPICIOUS_WORDS = tuple(word for word in SUSPICIOUS_WORDS if word.isascii())


def is_suspicious(text: str) -> bool:
    """Return whether a text has one of the words of the phrases: most have none and need no closer look."""
    for word in ASCII_SUSPICIOUS_WORDS if text.isascii() else SUSPICIOUS_WORDS:  # noqa: SIM110  Twice as fast.
        if word in text:
            return True
    return False
