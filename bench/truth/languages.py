"""What pages say of films that are gone, private, abroad or away for a while, in the languages of the sources. Pure."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Wording:
    """`missing`, `removed`, `private`, `abroad`, `later`: a heading and a sentence, as pages say it in that language.
    `synopsis`: a sentence of a living film's page that has the same words in it."""

    code: str
    missing: tuple[str, str]
    removed: tuple[str, str]
    private: tuple[str, str]
    abroad: tuple[str, str]
    later: tuple[str, str]
    synopsis: str


WORDINGS = (
    Wording(
        "en",
        missing=("We can't find that page", "The page you were looking for could not be found."),
        removed=("Film removed", "This film has been removed by its owner and is no longer available."),
        private=("This film is private", "Only people whom its owner has invited can watch this video."),
        abroad=("Not available here", "This film is not available in your country."),
        later=("Back soon", "We are carrying out maintenance. Please try again later."),
        synopsis="A letter cannot be found, a statue is removed at night, and the judge is no longer available.",
    ),
    Wording(
        "de",
        missing=("Diese Seite gibt es nicht", "Die aufgerufene Seite konnte nicht gefunden werden."),
        removed=("Film gelöscht", "Dieses Video wurde entfernt und ist nicht mehr verfügbar."),
        private=("Privates Video", "Dieses Video ist privat."),
        abroad=("Nicht verfügbar", "Dieser Film ist in deinem Land nicht verfügbar."),
        later=("Wartungsarbeiten", "Wir sind bald wieder da. Bitte versuchen Sie es später noch einmal."),
        synopsis="Ein Brief wird nicht gefunden, ein Denkmal wird entfernt, und der Richter ist nicht mehr verfügbar.",
    ),
    Wording(
        "fr",
        missing=("Cette page n’existe pas", "La page demandée est introuvable."),
        removed=("Vidéo supprimée", "Cette vidéo a été supprimée et n’est plus disponible."),
        private=("Vidéo privée", "Cette vidéo est privée."),
        abroad=("Indisponible", "Cette vidéo n’est pas disponible dans votre pays."),
        later=("Site en maintenance", "Nous revenons bientôt. Merci de réessayer plus tard."),
        synopsis="Une lettre est introuvable, une statue a été supprimée, et le juge n’est plus disponible.",
    ),
    Wording(
        "es",
        missing=("Esta página no existe", "No hemos podido encontrar la página solicitada."),
        removed=("Vídeo eliminado", "Este vídeo ha sido eliminado y ya no está disponible."),
        private=("Vídeo privado", "Este vídeo es privado."),
        abroad=("No disponible", "Este vídeo no está disponible en tu país."),
        later=("En mantenimiento", "Volvemos pronto. Vuelve a intentarlo más tarde."),
        synopsis="Una carta no se encuentra, una estatua ha sido eliminada y el juez ya no está disponible.",
    ),
    Wording(
        "it",
        missing=("Pagina non trovata", "La pagina richiesta non esiste o è stata spostata."),
        removed=("Video rimosso", "Questo video è stato rimosso e non è più disponibile."),
        private=("Video privato", "Questo video è privato."),
        abroad=("Non disponibile", "Questo video non è disponibile nel tuo paese."),
        later=("Sito in manutenzione", "Torneremo presto. Riprova più tardi."),
        synopsis="Una lettera non si trova, una statua è stata rimossa e il giudice non è più disponibile.",
    ),
    Wording(
        "pt",
        missing=("Página não encontrada", "A página que você procura não existe."),
        removed=("Vídeo removido", "Este vídeo foi removido e não está mais disponível."),
        private=("Vídeo privado", "Este vídeo é privado."),
        abroad=("Indisponível", "Este vídeo não está disponível no seu país."),
        later=("Em manutenção", "Voltamos em breve. Tente novamente mais tarde."),
        synopsis="Uma carta não é encontrada, uma estátua foi removida e o juiz não está mais disponível.",
    ),
    Wording(
        "nl",
        missing=("Pagina niet gevonden", "De pagina die je zoekt bestaat niet."),
        removed=("Video verwijderd", "Deze video is verwijderd en niet meer beschikbaar."),
        private=("Privévideo", "Deze video is privé."),
        abroad=("Niet beschikbaar", "Deze video is niet beschikbaar in jouw land."),
        later=("Onderhoud", "We zijn zo terug. Probeer het later opnieuw."),
        synopsis="Een brief wordt niet gevonden, een beeld is verwijderd en de rechter is niet meer beschikbaar.",
    ),
    Wording(
        "pl",
        missing=("Nie znaleziono strony", "Strona, której szukasz, nie istnieje."),
        removed=("Film usunięty", "Ten film został usunięty i nie jest już dostępny."),
        private=("Film prywatny", "Ten film jest prywatny."),
        abroad=("Niedostępny", "Ten film jest niedostępny w Twoim kraju."),
        later=("Przerwa techniczna", "Wkrótce wrócimy. Spróbuj ponownie później."),
        synopsis="Listu nie znaleziono, pomnik został usunięty nocą, a sędzia nie jest już dostępny.",
    ),
    Wording(
        "ru",
        missing=("Страница не найдена", "Запрошенная страница не существует."),
        removed=("Видео удалено", "Это видео было удалено и больше недоступно."),
        private=("Закрытое видео", "Это видео доступно только его владельцу: видео является приватным."),
        abroad=("Недоступно", "Это видео недоступно в вашей стране."),
        later=("Технические работы", "Скоро вернёмся. Попробуйте зайти позже."),
        synopsis="Письмо не найдено, памятник удалён ночью, а судья больше недоступен.",
    ),
    Wording(
        "cs",
        missing=("Stránka nenalezena", "Požadovaná stránka neexistuje."),
        removed=("Video bylo odstraněno", "Toto video bylo odstraněno a již není dostupné."),
        private=("Soukromé video", "Toto video je soukromé."),
        abroad=("Nedostupné", "Toto video není ve vaší zemi dostupné."),
        later=("Probíhá údržba", "Brzy budeme zpět. Zkuste to prosím později."),
        synopsis="Dopis nebyl nalezen, socha byla v noci odstraněna a soudce již není dostupný.",
    ),
    Wording(
        "ja",
        missing=("ページが見つかりません", "お探しのページは存在しません。"),
        removed=("動画は削除されました", "この動画は削除されたため、ご覧いただけません。"),
        private=("非公開動画", "この動画は非公開です。"),
        abroad=("視聴できません", "この動画はお住まいの国では視聴できません。"),
        later=("メンテナンス中", "ただいまメンテナンス中です。しばらくしてからもう一度お試しください。"),
        synopsis="手紙は見つからず、像は夜のうちに削除され、判事はもう姿を見せない。",
    ),
    Wording(
        "sv",
        missing=("Sidan hittades inte", "Sidan du söker finns inte."),
        removed=("Videon har tagits bort", "Den här videon har tagits bort och är inte längre tillgänglig."),
        private=("Privat video", "Den här videon är privat."),
        abroad=("Inte tillgänglig", "Den här videon är inte tillgänglig i ditt land."),
        later=("Underhåll pågår", "Vi är snart tillbaka. Försök igen senare."),
        synopsis="Ett brev hittades inte, en staty har tagits bort och domaren är inte längre tillgänglig.",
    ),
    Wording(
        "da",
        missing=("Siden blev ikke fundet", "Den side, du leder efter, findes ikke."),
        removed=("Videoen er fjernet", "Denne video er fjernet og er ikke længere tilgængelig."),
        private=("Privat video", "Denne video er privat."),
        abroad=("Ikke tilgængelig", "Denne video er ikke tilgængelig i dit land."),
        later=("Vedligeholdelse", "Vi er snart tilbage. Prøv igen senere."),
        synopsis="Et brev blev ikke fundet, en statue er fjernet, og dommeren er ikke længere tilgængelig.",
    ),
    Wording(
        "uk",
        missing=("Сторінку не знайдено", "Такої сторінки не існує."),
        removed=("Відео видалено", "Це відео видалено, воно більше недоступне."),
        private=("Приватне відео", "Це відео приватне."),
        abroad=("Недоступно", "Це відео недоступне у вашій країні."),
        later=("Технічні роботи", "Ми скоро повернемося. Спробуйте пізніше."),
        synopsis="Листа не знайдено, пам’ятник видалено вночі, а суддя більше недоступний.",
    ),
    Wording(
        "fi",
        missing=("Sivua ei löydy", "Hakemaasi sivua ei valitettavasti löytynyt."),
        removed=("Video on poistettu", "Tämä video on poistettu eikä se ole enää katsottavissa."),
        private=("Yksityinen video", "Tämä video on yksityinen."),
        abroad=("Ei saatavilla", "Tämä elokuva ei ole saatavilla maassasi."),
        later=("Huoltokatko", "Palaamme pian. Yritä myöhemmin uudelleen."),
        synopsis="Kirjettä ei löydy, patsas on poistettu yöllä, eikä tuomari ole enää tavattavissa.",
    ),
    Wording(
        "hu",
        missing=("Az oldal nem található", "A keresett oldal nem létezik."),
        removed=("A videót törölték", "Ezt a videót eltávolították, már nem elérhető."),
        private=("Privát videó", "Ez a videó privát."),
        abroad=("Nem elérhető", "Ez a film nem érhető el az Ön országában."),
        later=("Karbantartás miatt zárva", "Hamarosan visszatérünk. Kérjük, próbálja meg később."),
        synopsis="A levél nem található, a szobrot éjjel eltávolították, a bíró pedig már nem elérhető.",
    ),
    Wording(
        "tr",
        missing=("Sayfa bulunamadı", "Aradığınız sayfa bulunamadı."),
        removed=("Video kaldırıldı", "Bu video silindi ve artık mevcut değil."),
        private=("Gizli video", "Bu video gizlidir."),
        abroad=("Kullanılamıyor", "Bu film ülkenizde kullanılamıyor."),
        later=("Bakım çalışması", "Lütfen daha sonra tekrar deneyin."),
        synopsis="Mektup bulunamadı, heykel gece kaldırıldı, yargıç da artık yerinde değil.",
    ),
)
