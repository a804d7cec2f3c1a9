"""What pages say, in the languages of the sources' films: missing, private, elsewhere only, later. Data alone.

Phrases are normalized like the text of pages: lower case, no accents. In a phrase, `(?:a|b)` and `x?` mean what they
mean in regular expressions. Pure.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Language:
    """The phrases of one language.

    `things`, `films`: nouns; a synopsis speaks of films that were removed, so these are read in headings only.
    `this`: words before a noun that mean the one of this page. `missing`: what follows such a noun; `no`: what comes
    before it. `titles`: whole titles of error pages. `private`, `later`, `robots`: phrases that say so by themselves,
    the last of a wall. `here`: where the visitor is; with one of `nots` beside it, the film is for others.
    `only_here`: says so by itself. `words`: one of them is in each of these phrases. `ifs`: at the start of a clause,
    they make a sentence say nothing of this page. `yet`: words for what will be there later; `now`: for what is
    so at the moment. `spaced`: words have blanks between them.
    """

    things: tuple[str, ...]
    films: tuple[str, ...]
    this: tuple[str, ...]
    missing: tuple[str, ...]
    no: tuple[str, ...] = ()
    titles: tuple[str, ...] = ()
    private: tuple[str, ...] = ()
    here: tuple[str, ...] = ()
    nots: tuple[str, ...] = ()
    only_here: tuple[str, ...] = ()
    later: tuple[str, ...] = ()
    robots: tuple[str, ...] = ()
    words: tuple[str, ...] = ()
    ifs: tuple[str, ...] = ()
    yet: tuple[str, ...] = ()
    now: tuple[str, ...] = ()
    spaced: bool = True


GERMAN = Language(
    ifs=("wenn", "falls", "sollte", "sobald", "danach", "anschliessend", "ab dann"),
    this=("dies(?:e|er|es|en)", "gesuchten?", "gewunschten?", "angeforderten?", "aufgerufenen?"),
    yet=("noch (?:nicht|kein)",),
    now=("derzeit", "zur ?zeit", "momentan", "aktuell", "gerade", "im (?:moment|augenblick)", "vorubergehend"),
    things=(
        "programm", "link", "webseite",
        "seite", "datei", "video", "videos", "inhalt", "inhalte", "beitrag", "dokument", "eintrag", "url", "adresse",
        "clip", "sendung", "stream", "ressource",
    ),
    films=("film", "folge", "episode", "serie", "titel"),
    missing=(
        "(?:wurde |konnte )?(?:leider )?nicht gefunden(?: werden)?", "nicht (?:mehr )?gefunden",
        "(?:existiert|gibt es|besteht) (?:leider )?(?:hier )?nicht(?: mehr)?",
        "(?:ist |sind )?(?:leider |derzeit )?nicht (?:mehr )?(?:verfugbar|vorhanden|auffindbar|abrufbar|online)",
        "nicht langer verfugbar", "(?:wurde|wurden|ist) (?:leider )?(?:vom \\w{1,20} )?(?:geloscht|entfernt)",
        "ist (?:leider )?(?:bereits )?abgelaufen", "wurde(?:n)? (?:vom netz|offline) genommen",
        "wurde(?:n)? verschoben(?: oder (?:geloscht|entfernt))?",
    ),
    no=("(?:kann|konnen|konnten) (?:wir )?(?:leider )?nicht finden", "kein(?:e|en)?"),
    titles=(
        "nicht gefunden", "fehler 404", "404 fehler", "seite nicht da", "nicht (?:mehr )?verfugbar", "geloscht",
        "link abgelaufen",
    ),
    private=("(?:video|film|inhalt|seite) ist privat", "privates video", "nur fur (?:\\w{1,20} )?freunde sichtbar"),
    here=(
        "in (?:ihre|deine|diese|eure)[mr] (?:land|region|gebiet|staat)",
        "(?:an|in) (?:ihrem|deinem) (?:standort|aufenthaltsort)", "im ausland",
        "ausserhalb (?:von )?(?:deutschlands?|der eu|osterreichs?|der schweiz)", "fur (?:ihren|deinen|euren) standort",
    ),
    nots=("nicht", "kein"),
    only_here=("(?:nur|ausschliesslich) in(?:nerhalb)? (?:deutschlands?|osterreichs?|der schweiz|der eu)",),
    later=(
        "^wartung$",
        "wartungsarbeiten", "wartungsmodus", "(?:gerade|zurzeit|derzeit|momentan) gewartet",
        "vorubergehend nicht (?:erreichbar|verfugbar)", "versuchen sie es (?:bitte )?(?:spater|in \\w{1,20})",
        "versuche es spater", "bald wieder (?:da|zuruck|online|fur sie da)",
    ),
    robots=(
        "browser wird uberpruft",
        "(?:sie|du) kein roboter (?:sind|bist)", "sind sie ein mensch"),
    words=(
        "browser",
        "nicht", "gelosch", "entfernt", "fehler", "privat", "wartung", "spater", "bald wieder", "kein", "nur in",
        "ausschliesslich", "gewartet", "roboter", "mensch", "abgelaufen", "genommen", "verschoben", "ausland",
        "ausserhalb",
    ),
)  # fmt: skip
FRENCH = Language(
    ifs=("si", "lorsque", "quand", "ensuite", "apres (?:cela|cette date)", "puis"),
    this=("ce(?:t|tte)?", "demandee?", "recherchee?", "que vous (?:cherchez|recherchez|demandez)"),
    yet=("pas encore",),
    now=("actuellement", "en ce moment", "pour (?:le moment|l'instant)", "momentanement", "temporairement"),
    things=(
        "lien", "programme", "emission",
        "page", "fichier", "video", "contenu", "document", "adresse", "url", "ressource", "publication",
        "enregistrement",
    ),
    films=("film", "episode", "serie", "titre"),
    missing=(
        "(?:est |semble )?introuvables?", "n'(?:existe|existent) (?:pas|plus)",
        "n'(?:a|ont) (?:pas|pas pu) (?:ete |etre )?trouvee?s?", "(?:n'est |ne sont )?(?:pas|plus) disponibles?",
        "n'est (?:pas|plus) (?:accessible|en ligne)", "(?:a|ont) ete (?:supprime|retire|efface|enleve)e?s?",
        "(?:est )?indisponible", "non trouvee?s?", "inexistante?",
        "(?:a|ont) (?:ete )?(?:deplacee?s? ou )?(?:supprime|retire|efface|enleve)e?s?", "n'est plus valide",
        "a expire",
    ),
    no=("(?:impossible de|ne (?:peut|pouvons|parvenons) pas(?: a)?) (?:re)?trouver", "aucune?", "n'avons pas trouve"),
    titles=(
        "introuvable", "erreur 404", "non trouvee?", "page inexistante", "supprimee?", "indisponible", "lien expire",
    ),
    private=("(?:video|page|contenu) (?:est )?privee?",),
    here=(
        "(?:dans|depuis|pour) (?:votre|ce|vos|cette|ta|ton) (?:pays|region|territoire|position|"
        "zone(?: geographique)?)",
        "(?:hors|en dehors) de (?:la )?france", "(?:a|de|depuis) l'etranger",
    ),
    nots=(
        "non",
        "pas", "plus", "indisponible", "interdite?", "bloquee?"),
    only_here=("(?:uniquement|seulement|reservee?s?) (?:\\w{1,20} ){0,2}(?:en|a la) france",),
    later=(
        "en (?:cours de )?maintenance", "maintenance en cours", "temporairement (?:indisponible|inaccessible)",
        "momentanement indisponible", "(?:revenez|reessayez) (?:plus tard|ulterieurement|dans)",
        "de retour (?:bientot|dans)", "bientot de retour",
    ),
    robots=(
        "verification de votre navigateur",
        "vous n'etes pas un robot", "etes-vous (?:un )?(?:humain|robot)"),
    words=(
        "navigateur",
        "introuvab", "n'exist", "trouve", "disponib", "supprim", "retire", "efface", "enleve", "erreur", "inexist",
        "priv", "accessib", "maintenance", "plus tard", "reessay", "revenez", "retour", "autorise", "aucun", "n'est",
        "robot", "humain", "valide", "expire", "pays", "etranger", "uniquement", "seulement", "reserve", "pas ",
        "plus ", "interdit", "bloque",
    ),
)  # fmt: skip
SPANISH = Language(
    ifs=("si", "cuando", "despues", "luego", "a partir de entonces"),
    this=("est[ea]", "solicitad[oa]", "que (?:buscas?|busca|estas buscando|esta buscando)"),
    yet=("todavia no", "aun no", "no (?:\\w{1,12} )?(?:todavia|aun)"),
    now=("(?:en este|por el|de) momento", "actualmente", "temporalmente", "momentaneamente"),
    things=(
        "programa",
        "pagina", "archivo", "video", "contenido", "documento", "enlace", "direccion", "url", "recurso", "fichero",
        "publicacion",
    ),
    films=("pelicula", "film", "episodio", "serie", "titulo"),
    missing=(
        "no (?:(?:ha sido|fue|se ha|se pudo|pudo ser|se) )?(?:encontrad[oa]|encontrar|encontro|encuentra)",
        "(?:ya )?no (?:existen?|se encuentra)", "(?:ya )?no (?:esta|estan) (?:ya )?disponibles?",
        "(?:ha sido|fue|se ha|han sido) (?:eliminad|borrad|retirad)[oa]s?", "(?:inexistente|no disponible)",
        "ha (?:caducado|expirado)", "ya no se encuentra disponible",
    ),
    no=(
        "no (?:hemos podido|podemos|se pudo|se puede|pudimos|se ha podido) encontrar",
        "no (?:encontramos|se encontro|se encuentra|se ha encontrado)", "no hay ningun[a]?",
    ),
    titles=("no encontrad[oa]", "error 404", "no disponible", "eliminad[oa]", "no existe", "enlace caducado"),
    private=("(?:video|contenido|pagina) (?:es )?privad[oa]",),
    here=(
        "(?:en|desde|para|fuera de) (?:su|tu|este|esta|vuestro) (?:pais|region|zona|ubicacion|territorio)",
        "fuera de espana", "en el extranjero",
    ),
    nots=("no", "bloquead[oa]"),
    only_here=("solo (?:\\w{1,20} ){0,2}en espana",),
    later=(
        "en mantenimiento", "(?:por|tareas de) mantenimiento", "temporalmente (?:fuera de servicio|no disponible)",
        "(?:vuelva|vuelve|intentelo|intentalo|regrese) (?:a intentarlo )?(?:de nuevo )?mas tarde",
        "volvemos (?:pronto|enseguida)", "volveremos (?:pronto|en)",
    ),
    robots=("no (?:es|eres) un robot",),
    words=(
        "no ", "eliminad", "borrad", "retirad", "inexist", "privad", "error", "mantenimiento", "mas tarde", "volve",
        "temporal", "robot", "caducad", "expirad", "bloquead", "solo ",
    ),
)  # fmt: skip
ITALIAN = Language(
    ifs=("se", "quando", "poi", "dopo(?: di che)?", "in seguito"),
    this=(
        "che (?:cerchi|cerchiamo|hai richiesto)",
        "quest[oaei]", "richiest[oa]", "cercat[oa]", "che (?:stai|state|sta) cercando"),
    yet=("non (?:\\w{1,12} )?ancora", "ancora non"),
    now=("(?:al|in questo|per il) momento", "attualmente", "momentaneamente", "temporaneamente"),
    things=(
        "link", "programma",
        "pagina", "file", "video", "contenuto", "documento", "indirizzo", "url", "risorsa", "elemento"),
    films=("film", "episodio", "serie", "titolo", "puntata"),
    missing=(
        "non (?:e stat[oa] |e |sono stat[ie] )?trovat[oaie]", "non (?:esiste|esistono)(?: piu)?",
        "non (?:e |sono )?(?:piu |al momento )?disponibil[ei]",
        "(?:e|sono) stat[oaie] (?:rimoss|eliminat|cancellat)[oaie]", "inesistente", "e scadut[oa]",
    ),
    no=(
        "non (?:riusciamo|e possibile|siamo riusciti|abbiamo)(?: a)? trova(?:re|to)", "impossibile trovare",
        "nessun[oa]?",
    ),
    titles=("non trovat[oa]", "errore 404", "non disponibile", "rimoss[oa]", "pagina inesistente"),
    private=("(?:video|contenuto|pagina) (?:e )?privat[oa]",),
    here=(
        "(?:nel|nella|dal|dalla|in) (?:tu|su|vostr|quest)[oa] (?:paese|regione|area|territorio|zona)",
        "nel (?:tuo|suo|vostro) paese", "dal tuo paese", "(?:all|dall)'estero", "fuori (?:dall'italia|dal territorio)",
    ),
    nots=("non", "bloccat[oa]"),
    only_here=("(?:solo|soltanto) (?:\\w{1,20} ){0,2}in italia",),
    later=(
        "manutenzione in corso",
        "in manutenzione", "(?:per|lavori di) manutenzione", "temporaneamente (?:non disponibile|fuori servizio)",
        "(?:riprova|riprovare|torna|tornate|riprovate) (?:piu tardi|tra|fra|presto)", "torniamo (?:presto|subito)",
        "torneremo (?:presto|tra)",
    ),
    robots=("non (?:sei|essere) un robot",),
    words=(
        "non ", "rimoss", "eliminat", "cancellat", "inesist", "privat", "errore", "manutenzione", "piu tardi", "torn",
        "impossibile", "nessun", "riprova", "temporanea", "robot", "scadut", "estero", "bloccat", "solo ", "soltanto",
    ),
)  # fmt: skip
PORTUGUESE = Language(
    ifs=("se", "quando", "caso", "depois", "em seguida", "apos (?:isso|essa data)"),
    this=("est[ea]", "ess[ea]", "solicitad[oa]", "que (?:procura|voce (?:procura|esta procurando))"),
    yet=("ainda nao", "nao (?:\\w{1,12} )?ainda"),
    now=("(?:no|de|neste|por) momento", "atualmente", "de momento", "temporariamente"),
    things=(
        "link", "programa",
        "pagina", "arquivo", "ficheiro", "video", "conteudo", "documento", "endereco", "url", "recurso", "item"),
    films=("filme", "episodio", "serie", "titulo"),
    missing=(
        "nao (?:foi |foram |pode ser |pôde ser )?(?:encontrad[oa]s?)", "(?:ja )?nao (?:existe|existem)(?: mais)?",
        "(?:ja )?nao (?:esta|estao|se encontra) (?:mais )?disponive(?:l|is)", "nao disponivel",
        "(?:foi|foram) (?:removid|apagad|excluid|eliminad|deletad|retirad)[oa]s?", "(?:esta )?indisponivel",
        "inexistente", "expirou",
    ),
    no=("nao (?:foi possivel|conseguimos|encontramos|conseguiu)(?: encontrar)?", "nenhuma?"),
    titles=("nao encontrad[oa]", "erro 404", "indisponivel", "removid[oa]", "nao disponivel"),
    private=("(?:video|conteudo|pagina) (?:e )?privad[oa]", "video particular"),
    here=(
        "(?:no|na|em|para o|para a|fora do) (?:seu|sua|este|esta|teu|tua) (?:pais|regiao|area|"
        "territorio|local|localizacao)",
        "fora do (?:brasil|pais)", "fora de portugal",
    ),
    nots=("nao", "indisponivel", "bloquead[oa]"),
    only_here=("(?:so|somente|apenas) (?:\\w{1,20} ){0,2}(?:no brasil|em portugal)",),
    later=(
        "em manutencao", "(?:para|por) manutencao", "temporariamente (?:indisponivel|fora do ar)",
        "(?:tente|volte|tenta|volta) (?:novamente )?(?:mais tarde|em breve)", "voltamos (?:em breve|ja)",
        "voltaremos (?:em breve|logo)",
    ),
    robots=("(?:voce )?nao e um robo",),
    words=(
        "nao ", "removid", "apagad", "excluid", "eliminad", "deletad", "retirad", "indispon", "inexist", "privad",
        "particular", "erro ", "manutencao", "mais tarde", "volt", "nenhum", "temporaria", "robo", "expirou",
        "bloquead", "somente", "apenas",
    ),
)  # fmt: skip
DUTCH = Language(
    ifs=("als", "wanneer", "indien", "daarna"),
    this=("deze", "dit", "gevraagde", "opgevraagde", "die je zoekt", "die u zoekt"),
    yet=("nog (?:niet|geen)",),
    now=("momenteel", "op dit moment", "tijdelijk", "nu even"),
    things=(
        "link", "programma",
        "pagina", "bestand", "video", "inhoud", "document", "adres", "url", "item", "filmpje", "content"),
    films=("film", "aflevering", "serie", "titel"),
    missing=(
        "niet (?:meer )?worden gevonden",
        "(?:is |kan |kon |werd )?(?:helaas )?niet (?:meer )?(?:gevonden|vinden)(?: worden)?",
        "bestaat (?:helaas )?niet(?: meer)?",
        "(?:is |zijn )?(?:helaas )?niet (?:meer )?(?:langer )?(?:beschikbaar|online|te vinden)",
        "(?:is|zijn|werd) (?:\\w{1,10} \\w{1,20} )?(?:verwijderd|gewist)", "is (?:helaas )?verlopen",
        "is (?:helaas )?niet (?:meer|langer) te (?:bekijken|zien)",
    ),
    no=("(?:kunnen|konden|kan) (?:we |wij |ik )?(?:helaas )?niet (?:terug)?vinden", "geen"),
    titles=("niet gevonden", "fout 404", "niet (?:meer )?beschikbaar", "verwijderd"),
    private=("(?:video|pagina) is prive", "privevideo"),
    here=(
        "(?:in|vanuit|buiten) (?:jouw|je|uw|dit|deze) (?:land|regio|gebied|locatie)", "in het buitenland",
        "buiten (?:nederland|belgie)",
    ),
    nots=("niet", "geblokkeerd"),
    only_here=("alleen (?:\\w{1,20} ){0,2}in (?:nederland|belgie)",),
    later=(
        "bezig met onderhoud",
        "(?:wegens|in|gepland) onderhoud", "onderhoudswerkzaamheden",
        "tijdelijk (?:niet beschikbaar|onbereikbaar|buiten gebruik)",
        "probeer het (?:later|over) ?(?:opnieuw|nog eens)?", "(?:zo|snel|binnenkort) (?:weer )?terug",
    ),
    robots=("(?:u|je) geen robot bent",),
    words=(
        "niet", "verwijderd", "gewist", "fout", "prive", "onderhoud", "later", "tijdelijk", "terug", "geen", "robot",
        "verlopen", "geblokkeerd", "alleen",
    ),
)  # fmt: skip
POLISH = Language(
    ifs=("jesli", "jezeli", "gdy", "kiedy", "potem", "nastepnie", "pozniej"),
    this=("ta", "ten", "to", "tej", "tego", "szukan[aey](?:go|j)?", "zadan[aey](?:go|j)?"),
    yet=("jeszcze",),
    now=("obecnie", "w tej chwili", "aktualnie", "chwilowo", "tymczasowo"),
    things=(
        "link",
        "strona", "strony", "plik", "pliku", "wideo", "film wideo", "nagranie", "material", "materialu", "tresc",
        "tresci", "dokument", "dokumentu", "adres", "zawartosc",
    ),
    films=("film", "filmu", "odcinek", "odcinka", "serial", "tytuł"),
    missing=(
        "(?:nie (?:został[aoy]?|zostala) (?:odnalezion[aey]|znalezion[aey])|nie znalezion[oay])",
        "(?:juz )?nie istnieje", "nie jest (?:juz )?dostepn[aey]", "jest (?:juz )?niedostepn[aey]",
        "(?:został[aoy]?|zostala) (?:przez \\w{1,20} )?(?:usuniet[aey]|skasowan[aey])", "niedostepn[aey]",
        "nie jest juz dostepn[aey]", "(?:został[aoy]? |zostala |jest )?(?:usuniet|skasowan)[aey]", "wygasł[ao]?",
    ),
    no=(
        "nie (?:mozna|udalo sie|udało sie|mozemy|moglismy) (?:znalezc|odnalezc)", "nie (?:znaleziono|odnaleziono)",
        "nie ma (?:takiej|takiego|juz)",
    ),
    titles=("nie znaleziono", "bład 404", "niedostepn[aey]", "usuniet[aey]", "brak strony", "nie istnieje"),
    private=("(?:film|wideo|material|strona) (?:jest )?prywatn[aey]",),
    here=(
        "(?:w|na|poza|z) (?:twoim|twojej|panstwa|tym|tej) (?:kraju|regionie|lokalizacji|obszarze|terytorium)",
        "poza (?:polska|granicami)",
    ),
    nots=("nie", "niedostepn[aey]", "zablokowan[aey]"),
    only_here=("tylko (?:\\w{1,20} ){0,2}(?:w polsce|na terenie polski)",),
    later=(
        "przerwa techniczna", "prace (?:konserwacyjne|techniczne|serwisowe)",
        "chwilowo (?:niedostepn[aey]|nieczynn[aey])", "tymczasowo niedostepn[aey]",
        "(?:sprobuj|prosimy sprobowac|wroc|zajrzyj) (?:ponownie )?(?:pozniej|za)", "wkrotce wracamy", "zaraz wracamy",
    ),
    robots=("nie jestes robotem",),
    words=(
        "nie ", "niedostepn", "usuniet", "skasowan", "bład", "brak ", "prywatn", "przerwa", "prace ", "pozniej",
        "wracamy", "tymczasowo", "chwilowo", "robot", "wygasł", "zablokowan", "tylko",
    ),
)  # fmt: skip
RUSSIAN = Language(
    ifs=("если", "когда", "после (?:этого|чего)", "затем", "потом"),
    this=("эт(?:а|о|от|ой|ого)", "данн(?:ая|ое|ыи)", "запрашиваем(?:ая|ое|ыи)", "запрошенн(?:ая|ое|ыи)"),
    yet=("еще", "пока"),
    now=("сеичас", "в данныи момент", "временно"),
    things=(
        "ссылка",
        "страница", "страницы", "страницу", "файл", "видео", "видеозапись", "ролик", "видеоролик", "материал",
        "документ", "контент", "запись", "адрес", "ресурс",
    ),
    films=("фильм", "фильма", "серия", "сериал", "кино", "передача"),
    missing=(
        "не (?:был[ао]? )?наиден[аоы]?", "(?:больше )?не существует", "(?:больше |сеичас )?не ?доступ(?:ен|на|но|ны)",
        "(?:был[ао]? )?(?:удален|удалено|удалена|удалены)", "отсутствует", "истек(?:ла|ло)?",
        "заблокирован[ао]? (?:по|из-за) (?:требовани|обращени|жалоб)\\w{0,3} правообладател\\w{0,3}",
    ),
    no=("не (?:удалось|можем|удается) наити", "нет так(?:ои|ого)", "не наден[ао]?", "не наиден[ао]?"),
    titles=(
        "не наиден[ао]", "ошибка 404", "недоступ(?:ен|на|но)", "удален[ао]?", "страница не наидена",
        "ничего не наидено",
    ),
    private=(
        "(?:приватное|закрытое|частное) видео", "видео (?:является )?(?:приватным|закрытым)",
        "доступ к видео ограничен",
    ),
    here=(
        "(?:в|на территории|из|для) (?:вашеи|вашем|вашего|этои|этом) (?:стран[еы]|регион[еа])", "за пределами росси",
    ),
    nots=("не", "недоступ(?:ен|на|но|ны)", "невозможен", "запрещен[оа]?", "заблокирован[оа]?"),
    only_here=("только (?:\\w{1,20} ){0,2}(?:в|на территории) росси",),
    later=(
        "техническ\\w{2,4} (?:работ|обслуживани)",
        "технические работы", "техническое обслуживание", "временно недоступ(?:ен|на|но)",
        "(?:попробуите|заидите|повторите|вернитесь) (?:\\w{1,12} )?(?:позже|позднее|через)", "скоро вернемся",
    ),
    robots=(
        "проверка (?:вашего )?браузера",
        "вы не робот", "а не робот"),
    words=(
        "браузер",
        "не", "удален", "ошибка", "отсутству", "нет ", "приватн", "закрыт", "частн", "ограничен", "технич", "позже",
        "позднее", "скоро", "временно", "робот", "невозмож", "запрещ", "заблокир", "только", "истек",
    ),
)  # fmt: skip
CZECH = Language(
    ifs=("pokud", "kdyz", "jestli(?:ze)?", "pote", "potom", "pak"),
    this=("tat?o", "toto", "tento", "pozadovan[aye]", "hledan[aye]"),
    yet=("zatim", "jeste", "dosud"),
    now=("momentalne", "v tuto chvili", "nyni", "aktualne", "docasne"),
    things=(
        "odkaz",
        "stranka", "stranku", "soubor", "video", "obsah", "dokument", "adresa", "zaznam", "prispevek"),
    films=("film", "dil", "serial", "epizoda", "porad"),
    missing=(
        "(?:nebyl[ao]?|nebyla|neni) (?:bohuzel )?nalezen[ao]?", "(?:jiz |uz )?neexistuje",
        "(?:jiz |uz )?neni (?:jiz |uz |bohuzel )?(?:k dispozici|dostupn[aye]|v nabidce)",
        "(?:byl[ao]?) (?:odstranen|smazan|vymazan)[ao]?", "nenalezen[ao]?", "nedostupn[aye]",
        "(?:se )?(?:nepodarilo|nelze) (?:najit|nalezt)", "vyprsel[ao]?",
    ),
    no=("(?:nelze|nemuzeme|nepodarilo se|nemohli jsme) (?:\\w{1,12} )?(?:najit|nalezt)", "zadn[aye]"),
    titles=("nenalezen[ao]", "chyba 404", "nedostupn[aye]", "smazan[ao]?", "neexistuje"),
    private=("(?:video|obsah|stranka) je soukrom[aye]", "soukrome video"),
    here=(
        "(?:ve|v|z|mimo) (?:vasi|vasem|teto|tve|tvem) (?:zemi|regionu|oblasti|lokalite)", "v zahranici",
        "ze zahranici", "mimo (?:uzemi|cr|ceskou republiku)",
    ),
    nots=("neni", "nejsou", "nelze", "nedostupn[aey]"),
    only_here=("(?:pouze|jen) (?:\\w{1,20} ){0,2}(?:v|na uzemi) (?:ceske|cr|cesku)",),
    later=(
        "(?:probiha|planovana) (?:planovana )?(?:udrzba|odstavka)", "docasne (?:nedostupn[aye]|mimo provoz)",
        "(?:zkuste|vratte se|prijdte) (?:to )?(?:prosim )?(?:znovu )?pozdeji", "brzy (?:jsme|budeme) zpet",
    ),
    robots=("nejste robot",),
    words=(
        "neni", "nebyl", "neexist", "nenalez", "nedostup", "odstranen", "smazan", "vymazan", "chyba", "nelze",
        "nepodar", "nemuzeme", "nemohli", "soukrom", "udrzba", "odstavka", "pozdeji", "docasne", "brzy", "zadn",
        "robot", "vyprsel", "nejsou", "pouze", "jen ",
    ),
)  # fmt: skip
SWEDISH = Language(
    ifs=("om", "nar", "sedan", "darefter"),
    this=("den har", "det har", "som du (?:soker|letar efter)", "du (?:soker|letar efter|begarde)"),
    yet=("annu (?:inte|ej)", "inte annu"),
    now=("just nu", "for (?:narvarande|tillfallet)", "tillfalligt"),
    things=(
        "lanken",
        "sidan", "sida", "filen", "videon", "video", "klippet", "innehallet", "innehall", "dokumentet", "adressen",
    ),
    films=("filmen", "film", "avsnittet", "programmet", "serien"),
    missing=(
        "(?:kunde |kan )?(?:tyvarr )?(?:inte|ej) (?:kunde )?(?:hittas|hittades)", "hittades (?:tyvarr )?(?:inte|ej)",
        "finns (?:tyvarr )?(?:inte|ej)(?: langre)?(?: kvar)?",
        "(?:ar )?(?:tyvarr )?(?:inte|ej) (?:langre )?(?:tillganglig|tillgangligt|kvar)",
        "(?:har|ar) (?:blivit )?(?:tagits bort|borttage[nt]|raderats?|raderad)", "otillganglig", "har gatt ut",
    ),
    no=("(?:kunde|kan) (?:vi )?(?:tyvarr )?inte hitta", "hittade inte", "hittar (?:tyvarr )?inte", "ingen"),
    titles=("(?:hittades|finns) inte", "fel 404", "sidan saknas", "borttage[nt]", "inte tillganglig"),
    private=("(?:videon|sidan|klippet) ar privat", "privat video"),
    here=("(?:i|fran|utanfor) (?:ditt|din|detta|det har) (?:land|region|omrade)", "utanfor sverige", "utomlands"),
    nots=("inte", "ej", "otillganglig"),
    only_here=("(?:bara|endast) (?:\\w{1,20} ){0,2}i sverige",),
    later=(
        "(?:pagaende|planerat|under) underhall", "underhallsarbete", "tillfalligt (?:otillganglig|nere|stangd)",
        "(?:forsok|prova|kom tillbaka) (?:igen )?senare", "snart tillbaka",
    ),
    robots=("du inte ar en robot",),
    words=(
        "inte", " ej", "saknas", "bort", "radera", "fel ", "privat", "underhall", "senare", "snart", "otillgang",
        "tillfallig", "ingen", "robot", "gatt ut", "bara ", "endast",
    ),
)  # fmt: skip
JAPANESE = Language(
    this=("この", "お探しの", "ご指定の", "要求された", "指定された"),
    yet=("また.{0,8}?(?:利用|公開|配信|視聴|再生)",),
    now=("現在(?!地)", "たたいま", "一時的"),
    things=("投稿者", "ページ", "ファイル", "動画", "コンテンツ", "映像", "ビデオ", "記事", "url"),
    films=("映画", "作品", "番組"),
    missing=(
        "(?:閲覧|視聴|再生)てきません", "ご(?:覧|視聴)いたたけません",
        "見つかりません", "見つかりませんでした", "存在しません", "存在しない", "削除され",
        "削除済み",
        "ご利用いただけません", "利用できません", "公開を終了", "配信を終了",
        "配信は終了", "掲載を終了", "表示できません", "ありません", "公開期間か終了", "配信期間か終了",
        "掲載期間か終了", "期限か切れ",
    ),
    titles=(
        "(?:配信|公開|掲載)(?:を|は)?終了(?:しました|いたしました)",
        "見つかりません(?:でした)?", "404エラー", "エラー404", "ページがありません", "存在しません",
        "(?:公開|配信|掲載)期間か終了しました",
    ),
    private=("非公開(?:動画|の動画|です|に設定)", "限定公開の"),
    here=(
        "現在地", "(?:お住まい|お使い|お客様|ご利用|現在地)の?(?:国|地域)(?:また?は地域)?", "日本国外", "国外", "海外",
    ),
    nots=("ません", "できない", "不可"),
    only_here=("日本国内(?:で)?のみ",),
    later=(
        "メンテナンス", "一時的に(?:ご)?利用", "しばらく(?:して|経って|たって)から",
        "後ほど(?:もう一度|再度|お試し)", "時間をおいて",
    ),
    robots=("ロホットてはないこと",),
    words=(
        "見つかり", "存在し", "削除", "利用", "終了", "ません", "エラー", "非公開", "国", "地域", "海外",
        "メンテナンス", "しばらく", "後ほど", "時間を", "限定公開", "ロホット", "期間", "期限", "再生", "国内",
    ),
    spaced=False,
)  # fmt: skip
DANISH = Language(
    ifs=("hvis", "når", "derefter", "deretter"),
    this=("denne", "dette", "du (?:leder|leter) efter", "den side"),
    yet=("endnu ikke", "ennå ikke", "ikke (?:endnu|ennå)"),
    now=("(?:lige|akkurat) nu", "nå", "i øjeblikket", "for øyeblikket", "midlertidigt?"),
    things=(
        "siden?", "filen?", "videoen", "video", "klippet", "klip", "indholdet", "innholdet", "dokumentet",
        "adressen?", "linket", "lenken", "udsendelsen", "programmet",
    ),
    films=("filmen?", "afsnittet", "episoden", "serien"),
    missing=(
        "(?:blev |ble |kunne |kan |er )?(?:desværre |dessverre )?ikke (?:længere |"
        "lenger )?(?:at )?(?:fundet|funnet|findes|finde)",
        "(?:findes|finnes) (?:desværre |dessverre )?ikke(?: længere| lenger| mere)?",
        "(?:er )?(?:desværre |dessverre )?ikke (?:længere |lenger )?(?:tilgængeligt?|tilgjengelig)",
        "er (?:blevet |blitt )?(?:fjernet|slettet)", "er utløpt", "er udløbet",
    ),
    no=("(?:kunne|kan) (?:vi )?(?:desværre )?ikke finde", "(?:fandt|fant) (?:desværre |dessverre )?ikke"),
    titles=(
        "(?:findes|finnes) ikke", "fejl 404", "ikke (?:fundet|funnet)", "(?:fjernet|slettet)",
        "ikke (?:tilgængelig|tilgjengelig)",
    ),
    private=("(?:videoen|filmen|siden|denne video) er privat", "privat video"),
    here=(
        "(?:i|fra|uden for|utenfor) (?:dit|din|dette|ditt) (?:land|region|område)", "uden for danmark",
        "utenfor norge", "utenlands", "i udlandet",
    ),
    nots=("ikke",),
    only_here=("kun (?:\\w{1,20} ){0,2}i (?:danmark|norge)",),
    later=(
        "(?:vedligeholdelse|vedlikehold)", "midlertidigt? (?:utilgængelig|utilgjengelig|nede|lukket)",
        "(?:prøv|kom) (?:igen|igjen|tilbage) senere", "(?:snart|straks) (?:tilbage|tilbake)",
    ),
    robots=("du ikke er en robot",),
    words=(
        "ikke", "fjernet", "slettet", "fejl ", "privat", "vedlige", "vedlike", "midlertid", "senere", "snart",
        "straks", "robot", "udløbet", "utløpt", "kun ",
    ),
)  # fmt: skip
"""Norwegian says nearly the same; its forms stand beside."""
UKRAINIAN = Language(
    ifs=("якщо", "коли", "після (?:цього|чого)", "потім"),
    this=("ц(?:е|еи|я|ієі)", "так(?:оі|ого)", "запитан(?:а|е|ии)", "яку ви шукаєте"),
    yet=("ще", "поки"),
    now=("зараз", "тимчасово"),
    things=(
        "сторінк[ауи]", "файлу?", "відео", "відеозапис", "ролик", "матеріал", "документ", "контент", "посилання",
        "адреса",
    ),
    films=("фільму?", "серія", "серіал", "передача"),
    missing=(
        "(?:не (?:було )?|не)знаиден[аоиі]?", "(?:більше )?не існує", "(?:більше |зараз )?не ?доступн(?:е|ии|а|і)",
        "(?:було |був |була )?видален[аоиі]?", "відсутн(?:я|іи|є)",
    ),
    no=("не (?:вдалося|можемо) знаити",),
    titles=("не знаиден[ао]", "помилка 404", "недоступн(?:о|е|ии)", "видален[ао]"),
    private=("(?:приватне|закрите) відео", "відео (?:є )?приватн(?:е|им)"),
    here=("(?:у|в|з|для) (?:вашіи|вашому|вашоі|ціи) (?:краін[іи]|регіон[іу])",),
    nots=("не", "недоступн(?:е|ии|а|і)", "заборонен[ао]?"),
    later=(
        "технічні роботи", "технічне обслуговування", "тимчасово недоступн(?:о|е|ии|а)",
        "(?:спробуите|заидіть|поверніться) (?:\\w{1,12} )?пізніше", "скоро повернемося",
    ),
    robots=("ви не робот",),
    words=(
        "не", "видален", "помилка", "відсутн", "приватн", "закрит", "технічн", "тимчасов", "пізніше", "скоро",
        "робот", "заборон",
    ),
)  # fmt: skip
FINNISH = Language(
    ifs=("jos", "kun", "sen jalkeen"),
    yet=("viela", "vasta"),
    now=("talla hetkella", "juuri nyt", "tilapaisesti"),
    this=("tama", "tata", "etsimaasi", "hakemaasi", "pyytamaasi"),
    things=(
        "sivu", "sivua", "sivusto", "sivustoa", "tiedosto", "tiedostoa", "video",
        "videota", "videoa", "sisalto", "sisaltoa",
        "linkki", "osoite", "osoitetta", "ohjelma", "ohjelmaa", "tallenne",
    ),
    films=("elokuva", "elokuvaa", "jakso", "jaksoa", "sarja"),
    missing=(
        "ei (?:valitettavasti )?(?:enaa )?(?:loydy|loytynyt|ole olemassa)",
        "ei (?:valitettavasti )?ole (?:enaa )?(?:saatavilla|katsottavissa|olemassa)",
        "on (?:valitettavasti )?poistettu", "on vanhentunut",
    ),
    titles=("ei loydy", "ei loytynyt", "virhe 404", "ei (?:ole )?(?:enaa )?saatavilla", "poistettu"),
    private=("(?:video|sivu|sisalto) on yksityinen", "yksityinen video"),
    here=("(?:maassasi|alueellasi|sijainnissasi|maassanne)", "suomen ulkopuolella", "ulkomailla"),
    nots=("ei", "estetty"),
    only_here=("katsottavissa (?:vain|ainoastaan) suomessa", "(?:vain|ainoastaan) suomessa katsottavissa"),
    later=(
        "huoltokatko\\w{0,8}", "tilapaisesti (?:poissa kaytosta|suljettu)", "yrita (?:uudelleen )?myohemmin",
        "palaamme pian",
    ),
    robots=("et ole robotti",),
    words=(
        "loydy", "loytyn", "olemassa", "saatavilla", "katsottavissa", "maassa", "alueellasi", "sijainnissasi",
        "suomen ulko", "ulkomailla", "poistettu", "vanhentunut", "virhe ", "yksityinen", "huolto", "tilapais",
        "myohemmin", "palaamme", "robot", "estetty",
    ),
)  # fmt: skip
HUNGARIAN = Language(
    ifs=("ha", "amikor", "ezutan"),
    yet=("meg nem", "meg nincs"),
    now=("jelenleg", "atmenetileg"),
    this=("ez az?", "a keresett", "a kert", "az on altal keresett"),
    things=(
        "oldal", "oldalt", "fajl", "fajlt", "video", "videot", "tartalom", "tartalmat", "hivatkozas", "link", "cim",
        "musor", "felvetel",
    ),
    films=("film", "filmet", "epizod", "sorozat"),
    missing=(
        "(?:mar )?nem (?:talalhato|letezik|elerheto)", "(?:mar )?nem (?:erheto|tekintheto) (?:el|meg)",
        "(?:el lett|lett) tavolitva", "(?:eltavolitottak|toroltek)", "(?:mar )?torolve", "lejart",
    ),
    no=("nem (?:talaljuk|talalhato) (?:az?)?", "nincs (?:ilyen|meg)"),
    titles=("nem talalhato", "404(?:-es)? hiba", "nem elerheto", "(?:torolve|eltavolitva)"),
    private=("(?:video|oldal|tartalom) privat", "privat video"),
    here=("(?:az on |a te )?(?:orszagaban|orszagodban|regiojaban|regiodban)", "magyarorszagon kivul"),
    nots=("nem", "letiltva"),
    only_here=("(?:csak|kizarolag) magyarorszagon (?:erheto|tekintheto|nezheto)",),
    later=(
        "karbantartas (?:alatt|miatt)", "(?:atmenetileg|ideiglenesen) (?:nem elerheto|szunetel|nem mukodik)",
        "(?:probalja|probald) (?:meg )?(?:ujra )?kesobb", "hamarosan visszater\\w{0,8}",
    ),
    robots=("(?:on|hogy) nem robot",),
    words=(
        "talal", "letez", "erheto", "tekintheto", "nincs", "toroltek", "torolve", "tavolit", "lejart", " hiba",
        "privat", "orszag", "regio", "letilt", "karbantart", "atmenetileg", "ideiglenesen", "kesobb", "hamarosan",
        "robot",
    ),
)  # fmt: skip
TURKISH = Language(
    ifs=("eger", "(?:daha )?sonra"),
    yet=("henuz",),
    now=("su anda?", "gecici olarak"),
    this=("bu", "aradiginiz", "istediginiz", "istenen"),
    things=(
        "sayfa", "sayfayi", "dosya", "dosyayi", "video", "icerik", "icerigi", "baglanti", "adres", "kayit", "belge",
    ),
    films=("film", "dizi", "bolum"),
    missing=(
        "(?:ne yazik ki )?(?:artik )?(?:bulunamadi|bulunamiyor|mevcut degil|kullanilamiyor|yayinda degil)",
        "(?:kaldirildi|silindi|kaldirilmistir|silinmistir|silinmis)", "(?:suresi doldu|gecersiz)",
    ),
    titles=("bulunamadi", "hata 404", "404 hatasi", "(?:artik )?mevcut degil", "(?:silindi|kaldirildi)"),
    private=("(?:video|icerik|sayfa) (?:gizlidir|ozeldir)", "(?:gizli|ozel) video"),
    here=("(?:ulkenizde|bolgenizde|ulkende|bolgende|bulundugunuz (?:ulkede|bolgede))", "turkiye disinda"),
    nots=("kullanilamiyor", "mevcut degil", "izlenemiyor", "izlenemez", "engellenmis\\w{0,4}", "goruntulenemiyor"),
    only_here=("(?:yalnizca|sadece) turkiye'?de(?:n)? (?:izlen|kullanil)\\w{0,8}",),
    later=(
        "bakim (?:calismasi|nedeniyle|asamasinda)", "bakimdadir",
        "gecici olarak (?:kapali|kullanilamiyor|hizmet disi)\\w{0,4}",
        "daha sonra (?:tekrar|yeniden) dene\\w{0,6}",
    ),
    robots=("robot olmadiginizi",),
    words=(
        "bulunam", "mevcut degil", "kullanilam", "yayinda degil", "kaldiril", "silin", "doldu", "gecersiz", "hata",
        "gizli", "ozel", "izlenem", "engellen", "goruntulenem", "bakim", "gecici", "sonra", "robot", "yalnizca",
        "sadece",
    ),
)  # fmt: skip
LANGUAGES = {
    "de": GERMAN,
    "fr": FRENCH,
    "es": SPANISH,
    "it": ITALIAN,
    "pt": PORTUGUESE,
    "nl": DUTCH,
    "pl": POLISH,
    "ru": RUSSIAN,
    "cs": CZECH,
    "sv": SWEDISH,
    "ja": JAPANESE,
    "da": DANISH,
    "uk": UKRAINIAN,
    "fi": FINNISH,
    "hu": HUNGARIAN,
    "tr": TURKISH,
}
