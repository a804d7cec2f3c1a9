"""Pages in other words: what sites say that is gone, elsewhere only, back later or behind a wall, and living pages.

Own texts, in the kinds of public reports. Pairs of a heading and a sentence, or of a title and the markup below it.
"""

from __future__ import annotations

GONE_SAID = (
    ("Oh no!", "The content you're looking for isn't here."),
    ("Hm", "There doesn't appear to be a page at this address."),
    ("Sorry, this transfer has expired", ""),
    ("No content found", ""),
    ("Deze aflevering is helaas niet langer te bekijken", ""),
    ("Cette vidéo n'est plus disponible en replay", ""),
    ("Видео заблокировано по требованию правообладателя", ""),
    ("Ничего не найдено", ""),
    ("Vi hittar inte sidan du söker", ""),
    ("Vi fant ikke siden", ""),
    ("この動画は現在ご覧いただけません", "この動画は削除されました。"),
    ("Nothing here", "Sorry, nothing was found here. Maybe try a search?"),
    ("Oops! That page can't be found.", "It looks like nothing was found at this location."),
    ("This link is dead", "The link you followed has expired."),
    ("Link expired", "This link has expired."),
    ("File expired", "The file you requested has expired and was deleted from our servers."),
    ("Removed for copyright", "This file has been removed due to a copyright claim (DMCA)."),
    ("Video unavailable", "This video is no longer available due to a copyright claim by Example Studios."),
    (
        "Video unavailable",
        "This video is no longer available because the YouTube account associated with this video has "
        "been terminated.",
    ),
    ("Account deleted", "The account that uploaded this video has been closed."),
    (
        "The file you are trying to download is no longer available",
        "This could be due to the following reasons: the file has been removed because it violates our "
        "Terms of service.",
    ),
    ("Invalid or Deleted File.", "The key you provided for file access was invalid."),
    ("Sorry, we couldn't find that page", "Verify the URL or try a search."),
    ("Content not found", "This content has been deleted by its owner."),
    ("Item not available", "The item is not available due to issues with the item's content."),
    ("This programme is not currently available", "This programme is no longer available on BBC iPlayer."),
    ("Das Video ist nicht mehr verfügbar", "Aus rechtlichen Gründen ist der Beitrag offline."),
    ("Dieses Programm ist leider nicht mehr verfügbar", "Das Programm war bis zum 3. Mai verfügbar."),
    ("Cette vidéo n'est plus disponible", "Le programme était disponible jusqu'au 3 mai."),
    ("Contenuto non disponibile", "Il contenuto che cerchi non è più disponibile."),
    ("Sidan finns inte", "Programmet går inte längre att se."),
    ("Siden finnes ikke", "Programmet er ikke lenger tilgjengelig."),
    ("Siden blev ikke fundet", "Den side, du leder efter, findes ikke."),
    ("Videoen er fjernet", "Denne video er fjernet og er ikke længere tilgængelig."),
    ("Сторінку не знайдено", "Такої сторінки не існує."),
    ("Відео видалено", "Це відео видалено, воно більше недоступне."),
    ("Film usunięty", "Ten film został usunięty i nie jest już dostępny."),
    ("Nie ma takiej strony", "Przepraszamy, strona o podanym adresie nie istnieje."),
    ("Materiał został usunięty", ""),
    ("Hier ist nichts", "Die angeforderte Seite ist leider nicht verfügbar."),
    ("Ups!", "Da ist etwas schiefgelaufen. Die Seite existiert nicht mehr."),
    ("404", "Diese Seite wurde verschoben oder gelöscht."),
    ("Der Film wurde offline genommen", ""),
    ("Sendung nicht mehr online", "Die Verfügbarkeit der Sendung ist abgelaufen."),
    ("Oups", "La page que vous recherchez a été déplacée ou supprimée."),
    ("Cette page est introuvable", ""),
    ("Erreur", "Ce lien n'est plus valide ou a expiré."),
    ("¡Vaya!", "No encontramos la página que buscas."),
    ("El enlace ha caducado", ""),
    ("Esta película ya no se encuentra disponible", ""),
    ("Ops!", "La pagina che cerchi non è stata trovata."),
    ("Il video è stato eliminato dall'utente", ""),
    ("Ops!", "Não encontramos a página que você procura."),
    ("O vídeo foi excluído pelo usuário", ""),
    ("Oeps!", "We kunnen deze pagina niet vinden."),
    ("Deze aflevering is niet meer te bekijken", ""),
    ("Ошибка 404", "К сожалению, такой страницы не существует."),
    ("Видео недоступно", "Автор удалил видео."),
    ("Фильм удалён по требованию правообладателя", ""),
    ("Jejda", "Tuto stránku se nepodařilo najít."),
    ("Video bylo smazáno", ""),
    ("エラー", "お探しのページは移動または削除された可能性があります。"),
    ("この動画は再生できません", "投稿者によって削除されました。"),
    ("配信期間が終了しました", ""),
    ("Hoppsan!", "Sidan kunde inte hittas."),
    ("Klippet är borttaget", ""),
    ("Programmet är inte längre tillgängligt", ""),
    ("This page no longer exists", ""),
    (
        "Sorry, this page isn't available.",
        "The link you followed may be broken, or the page may have been removed.",
    ),
    ("Sorry!", "The video has been removed by the user."),
    ("This content has been removed for violating our terms", ""),
    ("Page missing", ""),
    ("You seem lost", "There is no page at this address."),
    ("The requested URL does not exist anymore.", ""),
    ("Ce contenu n'est plus accessible", ""),
    ("Film no longer on our platform", "The rights to this film have expired."),
    ("This film has been unpublished", ""),
    ("This video is offline", ""),
    ("This video has been deleted by the user.", ""),
    ("Sorry, we can't seem to find the page you're looking for", ""),
    ("Hmm", "We looked everywhere but this page is nowhere to be found."),
    ("Video removed", "The uploader deleted this video."),
    ("This video does not exist", ""),
    ("Video doesn't exist anymore", ""),
    (
        "File Not Found",
        "The file you were looking for could not be found, sorry for any inconvenience. Possible causes "
        "of this error could be: the file expired, the file was deleted by its owner.",
    ),
    ("Removed at the request of the copyright owner", ""),
    ("This film is no longer streaming", ""),
    ("This title is no longer available to stream", ""),
    ("Whoops, that page is gone.", ""),
    ("The content you requested has been archived or deleted", ""),
    ("No results", "Film does not exist."),
    ("Invalid video ID", ""),
    ("This page has moved or no longer exists.", ""),
    ("Movie not found", ""),
    ("We're sorry, this video has expired", ""),
    ("Broken link", "The page you tried to open does not exist."),
    ("Stream not found", ""),
    ("Seite existiert nicht", "Leider konnten wir die Seite nicht finden."),
    ("Fehler", "Das gewünschte Video wurde gelöscht."),
    ("Oh nein!", "Die von Ihnen aufgerufene Seite gibt es leider nicht."),
    ("Beitrag nicht verfügbar", "Der Beitrag ist nicht mehr in der Mediathek verfügbar."),
    ("Video nicht gefunden", ""),
    ("Film nicht gefunden", ""),
    ("Die Datei existiert nicht mehr oder wurde entfernt.", ""),
    ("Page non trouvée", ""),
    ("Désolé", "Cette page n'existe plus ou a été déplacée."),
    ("La vidéo a été retirée par son auteur", ""),
    ("Film indisponible", ""),
    ("Oups !", "Le contenu que vous cherchez n'est plus disponible."),
    ("Lo sentimos", "La página que está buscando no existe."),
    ("Vídeo no encontrado", ""),
    ("El vídeo fue eliminado por el usuario", ""),
    ("Contenido no disponible", "Este contenido ha sido retirado."),
    ("Esta página no está disponible", ""),
    ("Pagina inesistente", ""),
    ("Spiacenti", "La pagina che stai cercando non è disponibile."),
    ("Video non disponibile", "Il video è stato rimosso."),
    ("File non trovato", ""),
    ("Página não existe", ""),
    ("Desculpe", "O conteúdo não está mais disponível."),
    ("Vídeo indisponível", ""),
    ("O arquivo foi removido", ""),
    ("Pagina bestaat niet", ""),
    ("Helaas", "Deze pagina kan niet worden gevonden."),
    ("De video is niet meer beschikbaar", ""),
    ("Bestand verwijderd", ""),
    ("Strona nie istnieje", ""),
    ("Ups!", "Nie możemy znaleźć strony, której szukasz."),
    ("Wideo niedostępne", ""),
    ("Plik został skasowany", ""),
    ("Страница не существует", ""),
    ("Упс!", "Такая страница не найдена."),
    ("Видео удалено", ""),
    ("Файл не найден", ""),
    ("Материал недоступен", ""),
    ("Извините", "Видеозапись была удалена пользователем."),
    ("Stránka neexistuje", ""),
    ("Omlouváme se", "Požadovaná stránka nebyla nalezena."),
    ("Video není k dispozici", ""),
    ("Soubor byl smazán", ""),
    ("Tento film již není dostupný", ""),
    ("お探しのページが見つかりません", ""),
    ("削除されました", "この動画は削除されています。"),
    ("このページは存在しません", ""),
    ("配信を終了しました", ""),
    ("指定されたファイルは存在しません", ""),
    ("Sidan finns inte", ""),
    ("Tyvärr", "Vi kan inte hitta sidan."),
    ("Videon är inte tillgänglig", ""),
    ("Filmen har tagits bort", ""),
    ("Siden findes ikke", ""),
    ("Videoen er slettet", ""),
    ("Сторінка не існує", ""),
    ("Файл не знайдено", ""),
)  # fmt: skip
GONE_SHOWN = (
    (
        "Welcome to nginx!",
        "<h1>Welcome to nginx!</h1><p>If you see this page, the nginx web server is successfully "
        "installed and working. Further configuration is required.</p>",
    ),
    (
        "Apache2 Ubuntu Default Page: It works",
        "<h1>Apache2 Default Page</h1><h2>It works!</h2><p>This is the default welcome page used to "
        "test the correct operation of the Apache2 server.</p>",
    ),
    (
        "IIS Windows Server",
        "<a href='http://go.microsoft.com/fwlink/?linkid=66138&amp;clcid=0x409'><img src=iisstart.png "
        "alt=IIS></a>",
    ),
    (
        "Test Page for the Apache HTTP Server on Fedora",
        "<h1>Test Page</h1><p>This page is used to test the proper operation of the Apache HTTP server "
        "after it has been installed.</p>",
    ),
    (
        "Domain Default page",
        "<h1>Domain Default page</h1><p>If you are seeing this message, the website for quay.example is "
        "not available at this time.</p>",
    ),
    (
        "Default Web Site Page",
        "<h1>SORRY!</h1><p>If you are the owner of this website, please contact your hosting "
        "provider.</p>",
    ),
    ("Website coming soon", "<h1>This domain has just been registered</h1><p>Parked by the registrar.</p>"),
    ("Site not found · GitHub Pages", "<h1>404</h1><p><strong>There isn't a GitHub Pages site here.</strong></p>"),
    (
        "Page not found",
        "<h1>Page not found</h1><p>Looks like you've followed a broken link or entered a URL that "
        "doesn't exist on this site.</p>",
    ),
    (
        "Not found.",
        "<p>There's nothing here.</p><p>Whatever you were looking for doesn't currently exist at this "
        "address.</p>",
    ),
    ("404", "<div id=app></div>"),
    ("Quay", "<h3>404 - Page not found</h3>"),
    (
        "Quay Cinema",
        "<div class=error><div class=big>404</div><div>The page you are looking for was moved, removed, "
        "renamed or might never existed.</div></div>",
    ),
    ("Quay Cinema", "<main><svg><title>404</title></svg><p>This page could not be found.</p></main>"),
    (
        "404: This page could not be found",
        "<div><h1 class=next-error-h1>404</h1><h2>This page could not be found.</h2></div>",
    ),
)  # fmt: skip
ABROAD_SAID = (
    ("You appear to be outside the United Kingdom", ""),
    ("Ce contenu n'est pas accessible depuis l'étranger", ""),
    ("Contenuto non visibile dall'estero", ""),
    ("Für Ihren Standort ist dieses Video nicht verfügbar", ""),
    ("Video je dostupné jen v České republice", ""),
    ("Tento obsah není mimo ČR dostupný", ""),
    ("海外からはご覧いただけません", ""),
    ("Not available", "Sorry, this content is not available in your region."),
    ("This video isn't available in your country", ""),
    ("Sorry", "Due to rights restrictions, this video can only be viewed in the United Kingdom."),
    ("Geo-blocked", "BBC iPlayer only works in the UK. Sorry, it's due to rights issues."),
    ("This content is geo-restricted", ""),
    ("Not available in your location", ""),
    ("Sorry", "This video is only available in the United States."),
    ("The service is not available outside the US", ""),
    ("Nicht verfügbar", "Dieses Video ist aus rechtlichen Gründen in deinem Land nicht verfügbar."),
    ("Dieser Inhalt ist in Ihrer Region nicht verfügbar", ""),
    ("Geoblocking", "Das Video darf aus rechtlichen Gründen nur in Deutschland gezeigt werden."),
    ("Indisponible", "Cette vidéo n'est pas accessible depuis votre zone géographique."),
    ("Pour des raisons de droits, ce programme n'est pas disponible dans votre région", ""),
    ("No disponible", "Este contenido no está disponible en su región."),
    ("Este contenido no se puede ver en tu país", ""),
    ("Non disponibile", "Il contenuto non è visibile nel tuo paese per questioni di diritti."),
    ("Per motivi di diritti il video non è disponibile all'estero", ""),
    ("Indisponível", "Este conteúdo não está disponível na sua região."),
    ("Niet beschikbaar", "Deze video is om rechtenredenen niet beschikbaar in jouw regio."),
    ("Deze video mag niet worden vertoond in het buitenland", ""),
    ("Niedostępny", "Materiał niedostępny w Twoim kraju."),
    ("Ten materiał nie jest dostępny w Twojej lokalizacji", ""),
    ("Недоступно", "Видео недоступно в вашем регионе."),
    ("Просмотр невозможен", "Данное видео недоступно для просмотра в вашей стране"),
    ("Nedostupné", "Toto video není ve vaší zemi dostupné."),
    ("Video není dostupné ve vaší zemi", ""),
    ("視聴できません", "この動画はお住まいの地域ではご利用いただけません。"),
    ("お客様の国または地域では再生できません", ""),
    ("Inte tillgängligt", "Programmet kan inte visas utanför Sverige."),
    ("Videon kan bara ses i Sverige", ""),
    ("Ikke tilgængelig", "Denne video er ikke tilgængelig i dit land."),
    ("Programmet kan kun ses i Danmark", ""),
    ("Недоступно", "Це відео недоступне у вашій країні."),
    ("Programmet er ikke tilgjengelig utenfor Norge", ""),
    ("This video is not available in your area", ""),
    ("Sorry", "This content isn't available in your country."),
    ("The video you are trying to watch is only available within the UK.", ""),
    ("This stream is blocked in your country on copyright grounds", ""),
    ("The uploader has not made this video available in your country", ""),
    ("Dieses Video ist an Ihrem Standort nicht verfügbar", ""),
    ("Leider in deinem Land nicht verfügbar", ""),
    ("Ce contenu n'est pas disponible dans votre pays", ""),
    ("Vidéo non disponible dans votre zone géographique", ""),
    ("Contenido no disponible en tu región", ""),
    ("Video non disponibile nel tuo Paese", ""),
    ("Este vídeo não está disponível na sua região", ""),
    ("Deze video is niet beschikbaar in uw land", ""),
    ("Film niedostępny w Twoim regionie", ""),
    ("Видео недоступно в вашей стране", ""),
    ("Контент недоступен в вашем регионе по требованию правообладателя", ""),
    ("Obsah není ve vašem regionu k dispozici", ""),
    ("お住まいの国では視聴できません", ""),
    ("この動画は現在地では再生できません", ""),
    ("Videon är inte tillgänglig i ditt land", ""),
    ("Videoen er ikke tilgængelig i dit land", ""),
    ("Відео недоступне у вашому регіоні", ""),
)  # fmt: skip
LATER_SAID = (
    ("Dieses Video ist zurzeit nicht verfügbar", ""),
    ("Dieses Video ist vorübergehend nicht abrufbar", ""),
    ("Cette vidéo n'est pas disponible pour le moment", ""),
    ("Este contenido no está disponible temporalmente", ""),
    ("Il contenuto non è al momento disponibile", ""),
    ("Este vídeo não está disponível no momento", ""),
    ("Deze video is momenteel niet beschikbaar", ""),
    ("Materiał jest obecnie niedostępny", ""),
    ("Видео сейчас недоступно", ""),
    ("Video momentálně není k dispozici", ""),
    ("この動画は現在視聴できません", ""),
    ("Videon är inte tillgänglig just nu", ""),
    ("Site under maintenance", "Please check back soon."),
    ("We're down for maintenance", "Back at 10am."),
    ("Service temporarily unavailable", ""),
    ("Please try again later", "We are experiencing high load."),
    ("Something went wrong", "Please try again in a few minutes."),
    ("Temporarily Offline", "Internet Archive services are temporarily offline."),
    ("Wir sind gleich wieder da", "Unsere Seite wird gerade gewartet."),
    ("Vorübergehend nicht verfügbar", ""),
    ("Maintenance", "Le site est momentanément indisponible."),
    ("Estamos en mantenimiento", "Volveremos pronto"),
    ("Sito in manutenzione", "Torniamo subito."),
    ("Site em manutenção", "Voltaremos em breve"),
    ("Even geduld", "Wij zijn bezig met onderhoud."),
    ("Trwają prace techniczne", "Zapraszamy później."),
    ("Сайт на техническом обслуживании", ""),
    ("Probíhá údržba webu", ""),
    ("ただいまメンテナンス中です", ""),
    ("Vi utför underhåll just nu", "Kom tillbaka senare."),
    ("Vedligeholdelse", "Vi er snart tilbage. Prøv igen senere."),
    ("Технічні роботи", "Ми скоро повернемося. Спробуйте пізніше."),
    ("Видео временно недоступно", ""),
    ("This video is temporarily unavailable", "Please try again later."),
    ("Sorry, we're doing some maintenance", ""),
    ("The site is down for scheduled maintenance", ""),
    ("Server busy", "Please try again later."),
    ("Wartungsmodus", ""),
    ("Site en maintenance", ""),
    ("Service temporairement indisponible", ""),
    ("Sitio en mantenimiento", ""),
    ("Servicio temporalmente no disponible", ""),
    ("Manutenzione in corso", ""),
    ("Servizio temporaneamente non disponibile", ""),
    ("Serviço temporariamente indisponível", ""),
    ("Tijdelijk niet beschikbaar", ""),
    ("Gepland onderhoud", ""),
    ("Serwis chwilowo niedostępny", ""),
    ("Ведутся технические работы", ""),
    ("Stránky jsou dočasně nedostupné", ""),
    ("メンテナンスのお知らせ", ""),
    ("Tillfälligt otillgänglig", ""),
    ("Planerat underhåll", ""),
)  # fmt: skip
PRIVATE_SAID = (
    ("This video is private", "If you are the owner, sign in."),
    ("Private video", "Sign in if you've been granted access to this video"),
    ("Sorry", "Because of its privacy settings, this video cannot be played here."),
    ("This video is password protected", "Enter the password to watch"),
    (
        "This content isn't available right now",
        "When this happens, it's usually because the owner only shared it with a small group of people, "
        "changed who can see it or it's been deleted.",
    ),
    ("Privat video", "Denne video er privat."),
    ("Приватне відео", "Це відео приватне."),
)  # fmt: skip
OUTAGES_SAID = (
    ("Too many requests", "You are being rate limited"),
    ("500 Internal Server Error", "The server encountered an internal error."),
    ("502 Bad Gateway", "nginx"),
    ("503 Service Unavailable", "No server is available to handle this request."),
    ("Gateway Timeout", "The gateway did not receive a response."),
    ("Error establishing a database connection", ""),
    ("Database Error", "Can't connect to MySQL server on localhost"),
    ("We'll be right back", "Our servers are overloaded at the moment."),
    (
        "Bandwidth Limit Exceeded",
        "The server is temporarily unable to service your request due to the site owner reaching "
        "his/her bandwidth limit.",
    ),
    ("Error (429)", "This account's links are generating too much traffic and have been temporarily disabled!"),
)  # fmt: skip
OUTAGES_SHOWN = (
    (
        "WordPress › Error",
        "<div class=wp-die-message><p>There has been a critical error on this website.</p></div>",
    ),
    ("Maintenance", "<h1>Briefly unavailable for scheduled maintenance. Check back in a minute.</h1>"),
    ("quay.example | 521: Web server is down", "<h1>Web server is down Error code 521</h1>"),
    (
        "Google Drive - Quota exceeded",
        "<p>Sorry, you can't view or download this file at this time.</p><p>Too many users have viewed "
        "or downloaded this file recently. Please try accessing the file again later.</p>",
    ),
    ("Application Error", "<iframe src=//www.herokucdn.com/error-pages/application-error.html></iframe>"),
)  # fmt: skip
PARKED_SAID = (
    ("You have arrived at a parked domain", ""),
    ("Сайт заблокирован хостинг-провайдером", ""),
    ("This domain has expired", "If you are the owner, renew it."),
    ("quay.example has expired", "Renew now"),
    ("Ce nom de domaine est à vendre", ""),
    ("Este dominio está en venta", ""),
    ("Questo dominio è in vendita", ""),
    ("Deze domeinnaam is te koop", ""),
    ("Domena quay.example jest na sprzedaż", ""),
    ("Домен quay.example продаётся", ""),
    ("このドメインは販売中です", ""),
    ("Doména quay.example je na prodej", ""),
    ("Domänen quay.example är till salu", ""),
    ("Este domínio está à venda", ""),
    ("Domænet quay.example er til salg", ""),
    ("Website suspended", "This website has been suspended by the hosting provider."),
    ("This Account Has Been Suspended", ""),
    ("Diese Webpräsenz wurde gesperrt", ""),
    ("Domain not configured", "This domain is not connected to a website yet."),
    ("This domain has been seized", "by the authorities"),
)  # fmt: skip
PARKED_SHOWN = (
    (
        "quay.example - Diese Website steht zum Verkauf!",
        "<h1>quay.example</h1><div id=sedo>Informationen zum Thema quay</div>",
    ),
    ("quay.example", "<h1>The domain name quay.example is for sale</h1><p>Make an offer</p>"),
    ("quay.example", "<h1>This domain is parked, courtesy of GoDaddy.com</h1>"),
    ("quay.example", "<script src=//parking.parklogic.com/page/enhance.js></script><div id=main></div>"),
    ("Wix.com", "<h1>Looks Like This Domain Isn't Connected To A Website Yet!</h1>"),
    ("Shopify", "<h1>Sorry, this shop is currently unavailable</h1>"),
    (
        "Website Expired",
        "<h1>Website Expired</h1><p>This account has expired. If you are the site owner, click below to "
        "login.</p>",
    ),
    (
        "WordPress.com",
        "<h2>quay.wordpress.com is no longer available.</h2><p>The authors have deleted this site.</p>",
    ),
    ("Blog not found", "<p>Sorry, the blog you were looking for does not exist.</p>"),
)  # fmt: skip
WALLS_SAID = (
    ("403 Forbidden", "You don't have permission to access this resource."),
    ("401 Unauthorized", "This server could not verify that you are authorized to access the document."),
    ("Are you over 18?", "This content is for adults only. Please confirm your age to continue."),
    ("Sign in to continue", "Please log in to watch this video."),
    ("Members only", "This video is available to members only. Join this channel to get access."),
)  # fmt: skip
WALLS_SHOWN = (
    ("しばらくお待ちください", "<script src=/cdn-cgi/challenge-platform/h/b/orchestrate/chl_page/v1></script>"),
    (
        "Loading",
        "<noscript>Enable JavaScript and cookies to continue</noscript><script>document.cookie='a=1';"
        "location.reload()</script>",
    ),
    ("", "<noscript>Your support ID is: 7</noscript><script>window['bobcmn']='1'</script>"),
    (
        "Client Challenge",
        "<noscript>JavaScript is disabled in your browser.</noscript><div id=content>A required part of "
        "this site couldn't load. This may be due to a browser extension, network issues, or browser "
        "settings.</div><script src=/_fs-ch-1T1wmsGaOgGaSxcX/script.js></script>",
    ),
    (
        "",
        "<script>window.KPSDK={}</script><script "
        "src='/149e9513-01fa-4fb0-aad4-566afd725d1b/2d206a39/ips.js'></script>",
    ),
    (
        "Your access to this site has been limited by the site owner",
        "<h1>Your access to this site has been limited by the site owner</h1><p>Your access to this "
        "service has been limited. (HTTP response code 503)</p>",
    ),
    (
        "Attention Required! | Cloudflare",
        "<h1>Sorry, you have been blocked</h1><h2>You are unable to access quay.example</h2>",
    ),
    (
        "Access denied | quay.example used Cloudflare to restrict access",
        "<h1>Access denied</h1><h2>Error code 1020</h2><p>You do not have access to quay.example. The "
        "site owner may have set restrictions.</p>",
    ),
    (
        "One moment, please...",
        "<h1>Please wait while your request is being verified...</h1><form id=wsidchk-form><script "
        "src=/z0f76a1d14fd21a8fb5fd0d03e0fdc3d3cedae52f></script></form>",
    ),
    ("Verifying your connection", "<h1>Verifying that you are not a robot...</h1><div class=g-recaptcha></div>"),
    (
        "CrowdSec Captcha",
        "<h1>CrowdSec Captcha</h1><form><div class=h-captcha data-sitekey=x></div></form><p>This "
        "security check has been powered by CrowdSec</p>",
    ),
    ("CrowdSec Access Forbidden", "<h1>CrowdSec Access Forbidden</h1><p>You are unable to visit the website.</p>"),
    (
        "Access Forbidden",
        "<h1>Access Forbidden</h1><div id=slg-box></div><script>const cid='x'</script><p>Security "
        "Detection Powered By SafeLine WAF</p>",
    ),
    (
        "Web Page Blocked!",
        "<h2>Web Page Blocked!</h2><p>The page cannot be displayed. Please contact the administrator "
        "for additional information. Attack ID: 20000051</p>",
    ),
    (
        "Radware Captcha Page",
        "<h1>We apologize for the inconvenience...</h1><p>...but your activity and behavior on this "
        "site made us think that you are a bot.</p>",
    ),
    (
        "",
        "<script>window.rbzns={fp:1};function rbz(){};</script><script src='/c3650cdf'></script>",
    ),
    ("Hold on...", "<h3>Checking your browser for robots</h3><p>Performance &amp; security by BasedFlare</p>"),
    (
        "One more step",
        "<script src=https://challenges.cloudflare.com/turnstile/v0/api.js></script><div "
        "class=cf-turnstile data-sitekey=1></div>",
    ),
    (
        "quay.example",
        "<h1>Please complete the check</h1><script src=https://js.hcaptcha.com/1/api.js></script><div "
        "class=h-captcha data-sitekey=1></div>",
    ),
    (
        "Human check",
        "<p>To continue, please confirm below.</p><div class=g-recaptcha data-sitekey=1></div><script "
        "src=https://www.google.com/recaptcha/api.js></script>",
    ),
    ("Sicherheitsabfrage", "<h1>Sicherheitsabfrage</h1><div class=frc-captcha data-sitekey=1></div>"),
    ("Quay", "<h1>Eine Frage noch</h1><altcha-widget challengeurl=/c></altcha-widget>"),
    ("Вы не робот?", "<h1>Подтвердите, что запросы отправляли вы, а не робот</h1><div class=smart-captcha></div>"),
    ("Sind Sie ein Mensch?", "<h1>Bitte bestätigen Sie, dass Sie kein Roboter sind</h1>"),
    ("Vérification", "<h1>Vérification de sécurité</h1><p>Veuillez confirmer que vous n'êtes pas un robot.</p>"),
    ("Un momento…", "<h1>Verificando que usted no es un robot</h1><p>Este proceso es automático.</p>"),
    ("Un attimo", "<h1>Verifica di non essere un robot</h1>"),
    ("Um momento", "<h1>Confirme que você não é um robô</h1>"),
    ("Even geduld", "<h1>Bevestig dat u geen robot bent</h1>"),
    ("Weryfikacja", "<h1>Potwierdź, że nie jesteś robotem</h1>"),
    ("Ověření", "<h1>Potvrďte, že nejste robot</h1>"),
    ("確認", "<h1>ロボットではないことを確認してください</h1>"),
    ("Kontroll", "<h1>Bekräfta att du inte är en robot</h1>"),
    ("Un momento…", "<script>(function(){window._cf_chl_opt={cvId:'3'}})()</script>"),
    (
        "ERROR: The request could not be satisfied",
        "<h1>403 ERROR</h1><h2>The request could not be satisfied.</h2><p>Request blocked. We can't "
        "connect to the server for this app or website at this time.</p>",
    ),
    ("Azure WAF", "<h1>The request is blocked.</h1><p>20240101T000000Z-x</p>"),
    (
        "Azure WAF",
        "<h1>Checking your connection</h1><p>Please wait while we are verifying the security of your "
        "connection.</p>",
    ),
    ("Security Verification", "<h1>Performing security verification</h1><div id=tencent-captcha-dyn-loader></div>"),
    ("Vercel Security Checkpoint", "<p>We're verifying your browser</p>"),
    ("", "<h1>Access Denied</h1><p>Your request was blocked by the application firewall.</p>"),
    (
        "You are being redirected...",
        "<noscript>Javascript is required. Please enable javascript before you are allowed to see this "
        "page.</noscript><script>var "
        "s={},u,c,U,r,i,l=0,a,e=eval,w=String.fromCharCode,sucuri_cloudproxy_js='',S='x'</script>",
    ),
    (
        "Queue-it",
        "<h1>You are now in line</h1><p>Thank you for your patience. When it is your turn, you will "
        "have 10 minutes to enter the website.</p>",
    ),
    (
        "Waiting Room powered by Cloudflare",
        "<h1>You are now in line.</h1><p>Your estimated wait time is 5 minutes. This page will refresh "
        "automatically.</p>",
    ),
    (
        "Access blocked",
        "<h1>VPN or proxy detected</h1><p>You seem to be using an unblocker or proxy. Please turn off "
        "any of these services and try again.</p>",
    ),
    (
        "Before you continue to Quay",
        "<h1>Before you continue</h1><p>We use cookies and data to deliver our "
        "services.</p><button>Accept all</button><button>Reject all</button>",
    ),
    ("Verify", "<h1>Please verify you're human</h1>"),
    ("Quay", "<p>Please complete the security check below.</p><div class='h-captcha'></div>"),
    (
        "Robot Check",
        "<h4>Enter the characters you see below</h4><p>Sorry, we just need to make sure you're not a "
        "robot.</p>",
    ),
    ("Human Verification", "<script src=https://x.awswaf.com/captcha.js></script><div id=captcha-container></div>"),
    ("403 Forbidden", "<center><h1>403 Forbidden</h1></center><hr><center>openresty</center>"),
    (
        "Access Denied",
        "<h1>Access Denied</h1><p>You don't have permission to access this server. Reference #18.1</p>",
    ),
    ("Einen Moment…", "<h1>Ihr Browser wird überprüft</h1>"),
    ("Un instant", "<h1>Vérification de votre navigateur</h1>"),
    ("Проверка браузера", "<h1>Проверка браузера</h1><p>Подождите, идёт проверка вашего браузера</p>"),
)  # fmt: skip
LIVING_SHOWN = (
    (
        "The Lamplighter",
        "Watch free classic films online",
        "<h1>Lamplighter, The (1931)</h1><video src=/a.mp4></video><p>Not available in 4K. Some scenes "
        "were removed.</p>",
    ),
    (
        "The Lamplighter",
        "Der Laternenanzünder – Kino",
        "<h1>Der Laternenanzünder</h1><p>Ein Film über einen Mann, der nicht gefunden wird. Die Akte "
        "wurde gelöscht.</p><a href=/a.mp4>Film ansehen</a>",
    ),
    (
        "The Lamplighter",
        "L'allumeur - Ciné",
        "<h1>L'allumeur de réverbères</h1><p>La page manquante du livre est introuvable.</p><a "
        "href=/a.mp4>Voir</a>",
    ),
    (
        "The Lamplighter",
        "Free film: Old Quay",
        "<h1>Old Quay</h1><a href=/play>Play</a><p>Back soon: restored version. Watch again later in "
        "HD.</p>",
    ),
    (
        "The Lamplighter",
        "Old Quay",
        "<h1>Old Quay</h1><a href=/play>Play</a><p>He will be back soon, she says. The soldiers are "
        "back in town.</p>",
    ),
    (
        "The Lamplighter",
        "Old Quay",
        "<h1>Old Quay</h1><a href=/play>Play</a><p>A clerk finds that the address does not exist. The "
        "letter is returned.</p>",
    ),
    (
        "The Lamplighter",
        "Old Quay",
        "<h1>Old Quay</h1><a href=/play>Play</a><p>In this thriller a video has been deleted and a "
        "detective must find who did it.</p>",
    ),
    (
        "The Lamplighter",
        "Old Quay",
        "<h1>Old Quay</h1><a href=/play>Play</a><p>A secret document was removed from the ministry.</p>",
    ),
    (
        "The Lamplighter",
        "Old Quay",
        "<h1>Old Quay</h1><a href=/play>Play</a><p>The account was suspended when the banker fled; the "
        "website was disabled.</p>",
    ),
    (
        "The Lamplighter",
        "Old Quay",
        "<h1>Old Quay</h1><a href=/play>Play</a><p>A website for sale, a broke founder and a buyer who "
        "wants everything.</p>",
    ),
    (
        "The Lamplighter",
        "Old Quay",
        "<h1>Old Quay</h1><a href=/play>Play</a><p>Only if you are human can you feel it, says the "
        "android.</p>",
    ),
    (
        "The Lamplighter",
        "古い埠頭",
        "<h1>古い埠頭</h1><a href=/play>再生</a><p>国境を越えた動画が削除された謎を追う記者の物語。</p>",
    ),
    (
        "The Lamplighter",
        "Старый причал",
        "<h1>Старый причал</h1><a href=/play>Смотреть</a><p>Из архива исчезла запись: материал удалён, "
        "а документ не найден.</p>",
    ),
    (
        "The Lamplighter",
        "Der alte Kai",
        "<h1>Der alte Kai</h1><a href=/play>Ansehen</a><p>Ein Dokument wird nicht gefunden, die Datei "
        "wurde gelöscht: ein Krimi.</p>",
    ),
    (
        "The Lamplighter",
        "El viejo muelle",
        "<h1>El viejo muelle</h1><a href=/play>Ver</a><p>Un documento no se encuentra y el archivo ha "
        "sido borrado: un thriller.</p>",
    ),
    (
        "The Lamplighter",
        "Le vieux quai",
        "<h1>Le vieux quai</h1><a href=/play>Voir</a><p>Un document introuvable, un fichier supprimé: "
        "un polar.</p>",
    ),
    (
        "The Lamplighter",
        "The Lamplighter : Free Download, Borrow, and Streaming : Internet Archive",
        "<h1>The Lamplighter</h1><ia-wayback></ia-wayback><noscript>This site requires "
        "JavaScript</noscript><p>There Is No Preview Available For This Item. This item does not appear "
        "to have any files that can be experienced on Archive.org.</p>",
    ),
    (
        "Der Lampenwärter",
        "Old Quay",
        "<h1>Old Quay</h1><a href=/play>Play</a><p>In this thriller a video has been deleted and a "
        "detective must find who did it.</p>",
    ),
    (
        "Der Lampenwärter",
        "Der Laternenanzünder – Kino",
        "<h1>Der Laternenanzünder</h1><p>Ein Film über einen Mann, der nicht gefunden wird. Die Akte "
        "wurde gelöscht.</p><a href=/a.mp4>Film ansehen</a>",
    ),
    (
        "Der Lampenwärter",
        "Free film: Old Quay",
        "<h1>Old Quay</h1><a href=/play>Play</a><p>Back soon: restored version. Watch again later in "
        "HD.</p>",
    ),
    (
        "Der Lampenwärter",
        "Old Quay",
        "<h1>Old Quay</h1><a href=/play>Play</a><p>Only if you are human can you feel it, says the "
        "android.</p>",
    ),
    (
        "Ястреб",
        "Le faucon – Ciné",
        "<h1>Le faucon</h1><a href=/x.mp4>Regarder</a><p>Un détective cherche une statue disparue. Elle "
        "n'existe plus, dit-on.</p>",
    ),
    (
        "Ястреб",
        "Der Falke",
        "<h1>Der Falke</h1><a href=/x>Ansehen</a><p>Das Video zeigt, wie die Datei gelöscht wird.</p>",
    ),
    (
        "Ястреб",
        "The Hawk",
        "<h1>The Hawk</h1><a href=/x>Watch</a><p>The page was removed from the diary by her brother, "
        "and the link was never found.</p>",
    ),
    (
        "Ястреб",
        "The Hawk",
        "<h1>The Hawk</h1><a href=/x>Watch</a><p>This film was not available for fifty years.</p>",
    ),
    (
        "Ястреб",
        "The Hawk",
        "<h1>The Hawk</h1><a href=/x>Watch</a><p>This film has been restored; the first reel is "
        "missing.</p>",
    ),
    (
        "Ястреб",
        "The Hawk",
        "<h1>The Hawk</h1><a href=/x>Watch</a><p>This title was removed from Netflix, but you can watch "
        "it here.</p>",
    ),
    ("Ястреб", "The Hawk", "<h1>The Hawk</h1><a href=/x>Watch</a><p>The video does not exist in colour.</p>"),
    (
        "Ястреб",
        "The Hawk",
        "<h1>The Hawk</h1><a href=/x>Watch</a><p>Please try again later if the player does not "
        "start.</p>",
    ),
    ("Ястреб", "El halcón", "<h1>El halcón</h1><a href=/x>Ver</a><p>Esta película no está disponible en 4K.</p>"),
    (
        "Ястреб",
        "El halcón",
        "<h1>El halcón</h1><a href=/x>Ver</a><p>Esta película no existe en versión doblada.</p>",
    ),
    (
        "Ястреб",
        "The Hawk",
        "<h1>The Hawk</h1><a href=/x>Watch</a><p>If this video is unavailable, write to us. When a link "
        "expired, tell us.</p>",
    ),
    (
        "Ястреб",
        "The Hawk",
        "<h1>The Hawk</h1><a href=/x>Watch</a><p>Only in the United States was the film shown in "
        "colour.</p>",
    ),
    (
        "Ястреб",
        "The Hawk",
        "<h1>The Hawk</h1><a href=/x>Watch</a><p>It was only shown in Germany in 1931, and never "
        "again.</p>",
    ),
    (
        "Ястреб",
        "The Hawk",
        "<h1>The Hawk</h1><a href=/x>Watch</a><p>A robot asks a girl whether you are human or not.</p>",
    ),
    (
        "Ястреб",
        "The Hawk",
        "<h1>The Hawk</h1><a href=/x>Watch</a><p>Sie kann in deinem Land nicht leben, sagt er.</p>",
    ),
    ("Ястреб", "The Hawk", "<h1>The Hawk</h1><a href=/x>Watch</a><p>Он не может жить в этой стране.</p>"),
    ("Ястреб", "The Hawk", "<h1>The Hawk</h1><a href=/x>Watch</a><p>Elle ne peut plus vivre dans ce pays.</p>"),
    (
        "Ястреб",
        "The Hawk",
        "<h1>The Hawk</h1><a href=/x>Watch</a><p>Non può vivere in questo paese. Un film del 1931.</p>",
    ),
    (
        "Ястреб",
        "The Hawk",
        "<h1>The Hawk</h1><a href=/x>Watch</a><p>No one may live in this country: not available in this "
        "country is bread.</p>",
    ),
    (
        "Maintenance Man",
        "Maintenance Man",
        "<h1>Maintenance Man</h1><a href=/x>Watch</a><p>A man from site maintenance falls in love.</p>",
    ),
    (
        "The Hawk",
        "The Hawk",
        "<h1>The Hawk</h1><a href=/x>Watch</a><p>Under maintenance crews, the ship sails. The captain "
        "is temporarily closed off.</p>",
    ),
    ("The Hawk", "Access Granted", "<h1>Access Granted</h1><h2>Access Denied</h2><a href=/x>Watch</a>"),
    ("The Hawk", "Quay - Home of film", "<h1>Error</h1><h2>Der Irrtum (1931)</h2><video src=/a></video>"),
    ("The Hawk", "The Hawk", "<h1>The Hawk</h1><a href=/x>Watch</a><form class=login><h2>Log in</h2></form>"),
    ("Password", "Password", "<h1>Password</h1><a href=/x>Watch</a><p>A thriller of 1931.</p>"),
    ("Forbidden", "Forbidden", "<h1>Forbidden</h1><video src=/a></video><p>A Frank Capra film of 1932.</p>"),
)  # fmt: skip
"""The movie's title in the catalogue, that of the page, and its markup."""
LIVING_EXTRAS = (
    "<script src=/cdn-cgi/challenge-platform/scripts/jsd/main.js></script><script>window.bobcmn='1'</script>",
    "<p>Noch 5 Tage verfügbar. Danach ist das Video nicht mehr verfügbar.</p>",
    "<p>Доступно до 31.12.2099, после этого видео будет недоступно.</p>",
    "<p>配信終了まであと5日。その後この動画は視聴できません。</p>",
    "<p>On until May. After that this video will no longer be available.</p>",
    "<p>This film was removed from YouTube in 2019; here is the restored copy.</p>",
    "<p>Extras not available in your region.</p>",
    "<p>The DVD is not available in your country. The film is free to watch everywhere.</p>",
    "<p>The trailer is no longer available.</p>",
    "<p>Subtitles are temporarily unavailable.</p>",
    "<div id=comments><p>Video not found for me, please fix!</p></div>",
    (
        "<form><script src=https://www.google.com/recaptcha/api.js></script><div class=g-recaptcha "
        "data-sitekey=x></div></form>"
    ),
    (
        "<form><script src=https://challenges.cloudflare.com/turnstile/v0/api.js></script><div "
        "class=cf-turnstile></div></form>"
    ),
    "<form action=/login><div class=cf-turnstile></div></form>",
    "<form>Comment<div class=h-captcha></div></form>",
    (
        "<script>(function(){window.__CF$cv$params={r:'x'};var "
        "a=document.createElement('script');a.src='/cdn-cgi/challenge-platform/scripts/jsd/main.js'})()</script>"
    ),
    "<header><a href=/login>Sign in to continue</a></header>",
    "<p>Sign in to comment.</p>",
    "<p>Members only extras: commentary.</p>",
    "<p>Are you over 18? This film is rated R.</p>",
    "<p>Rated 18: for adults only.</p>",
    "<p>The DVD is for sale in our shop. The domain of the king is for sale.</p>",
    "<p>Coming soon: part two.</p>",
    "<p>Site under maintenance on Sunday. Please try again later then.</p>",
    "<p>この映画は一度削除されましたが、復元されました。</p>",
    "<p>Der Film galt lange als verschollen; das Original wurde gelöscht und ist nicht mehr vorhanden.</p>",
    "<p>Longtemps introuvable, ce film a été retrouvé. Le négatif n'existe plus.</p>",
    "<p>Фильм долго считался утраченным, сцена удалена цензурой.</p>",
    "<p>La película fue retirada por la censura y no se encuentra en ningún otro archivo.</p>",
    "<p>Film został usunięty z kin przez cenzurę. Kopia nie istnieje.</p>",
    "<p>Film byl zakázán a smazán z archivu.</p>",
    "<p>Filmen förbjöds och originalet finns inte kvar.</p>",
    "<p>Il film è stato rimosso dalle sale. La pellicola non esiste più.</p>",
    "<p>O filme foi removido dos cinemas. O negativo não existe mais.</p>",
    "<p>De film werd verwijderd uit de bioscopen. Het negatief bestaat niet meer.</p>",
    "<div id=error class='d-none'><h1>Page not found</h1></div>",
    "<div class='hidden error'><h2>Video unavailable</h2></div>",
    "<div class='w-form-fail'><div>Oops! Something went wrong while submitting the form.</div></div>",
    (
        "<div class='vjs-error-display vjs-modal-dialog vjs-hidden'><div>The media could not be loaded, "
        "either because the server or network failed.</div></div>"
    ),
    (
        "<p class=vjs-no-js>To view this video please enable JavaScript, and consider upgrading to a web "
        "browser that supports HTML5 video</p>"
    ),
    "<noscript>You need to enable JavaScript to run this app.</noscript>",
    "<h2>Private screenings</h2><p>This is a private video club.</p>",
    "<h2>Why is this video not available in my country?</h2><p>Because of rights. In most it works.</p>",
    "<h2>What if the video is unavailable?</h2><p>Write us.</p>",
    "<h2>Video not working? Report a dead link</h2>",
    "<h2>Films removed this month</h2><ul><li>Other</li></ul>",
    "<h2>404 minutes of bonus material</h2>",
)  # fmt: skip
"""Markup below a film."""
LIVING_TEXTS = (
    "The body was never found. The page is missing from the book, and the file was deleted from the archive.",
)  # fmt: skip
"""Synopses."""
LIVING_HEADS = (
    "<meta property=og:description content='Page not found: a comedy'>",
    "<meta http-equiv=refresh content='0; url=https://quay.example/film/1#t'>",
    "<meta http-equiv=refresh content='1800;url=/'>",
    "<noscript><meta http-equiv=refresh content='0;url=/nojs'></noscript>",
    "<!--[if lt IE 9]><meta http-equiv=refresh content='0;url=/old'><![endif]-->",
)  # fmt: skip
"""Markup in the head of a film's page."""
LIVING_TITLES = (
    "500 Internal Server Error: A Love Story",
    "503",
    "I, Robot",
    "Verify You Are Human",
    "Seite nicht gefunden",
    "Gone",
    "404",
    "Offline",
    "Link Expired",
    "Domain for Sale",
    "It Works!",
    "Index of Love",
    "Welcome to Nginx!",
    "Access Denied",
    "Blocked",
    "Members Only",
    "Under Maintenance",
    "You Are Now in Line",
)  # fmt: skip
"""Titles of films that sound like pages of a site or server."""
LIVING_PAGES = (
    (
        "<!doctype html><html><head><title>Quay Cinema</title></head><body><div id=root></div><div class=error>"
        "Something went wrong. Please try again later.</div><script src=/app.js></script></body></html>"
    ),
    (
        "<!doctype html><html><head><title>Forbidden - Quay Cinema</title></head><body><h1>Forbidden</h1>"
        "<video src=/reel.mp4></video><p>A film of 1932, in French Defense d'entrer.</p></body></html>"
    ),
    "<!doctype html><title>Show Dead Letters | Quay</title><h1>Show Dead Letters</h1><a href=/play>Play</a>",
    (
        "<!doctype html><html><head><title>Quay Cinema</title></head><body><noscript>You need to enable "
        "JavaScript to run this app.</noscript><div id=root></div><script src=/app.js></script></body></html>"
    ),
    (
        "<!doctype html><html><head><title>Quay Cinema</title></head><body><div "
        "id=root></div><script>document.cookie='theme=dark';if(location.hash){window.location.hash}</script><script "
        "src=/app.js></script></body></html>"
    ),
    (
        "<!doctype html><title>The Lamplighter | Quay</title><div class=announcement>We will be down for "
        "maintenance on Sunday</div><h1>The Lamplighter</h1><div id=player "
        "data-config=/api/play/77></div><script src=/js/player.js></script><p>A lamplighter finds a purse on "
        "the quay and spends a winter looking for its owner. His sister runs the ferry, the harbour master "
        "keeps the ledger, and neither believes him. </p>"
    ),
    (
        "<!doctype html><title>Quay</title><div role=alert>Cookies are disabled in your browser</div><h1>The "
        "Lamplighter</h1><div id=player data-config=/api/play/77></div><script "
        "src=/js/player.js></script><p>A lamplighter finds a purse on the quay and spends a winter looking "
        "for its owner. His sister runs the ferry, the harbour master keeps the ledger, and neither believes "
        "him. </p>"
    ),
    (
        "<!doctype html><title>Quay</title><h1>Quay</h1><div class=outdated>Your browser is out of date. "
        "Please enable JavaScript.</div><h2>The Lamplighter</h2><div id=player "
        "data-config=/api/play/77></div><script src=/js/player.js></script><p>A lamplighter finds a purse on "
        "the quay and spends a winter looking for its owner. His sister runs the ferry, the harbour master "
        "keeps the ledger, and neither believes him. A lamplighter finds a purse on the quay and spends a "
        "winter looking for its owner. His sister runs the ferry, the harbour master keeps the ledger, and "
        "neither believes him. A lamplighter finds a purse on the quay and spends a winter looking for its "
        "owner. His sister runs the ferry, the harbour master keeps the ledger, and neither believes him. A "
        "lamplighter finds a purse on the quay and spends a winter looking for its owner. His sister runs "
        "the ferry, the harbour master keeps the ledger, and neither believes him. </p>"
    ),
)  # fmt: skip
"""Whole pages."""
LIVING_SHORT = (
    (
        "Die Brücke",
        "Sieben Jungen verteidigen eine Brücke. Der Film wurde 1959 gedreht und ist nicht mehr im Verleih.",
    ),
    ("Die Brücke", "Dieser Film wurde restauriert. Untertitel sind nicht verfügbar."),
    ("Le Pont", "Ce film n'est plus protégé par le droit d'auteur."),
    ("Le Pont", "Ce film a été retiré des salles en 1931."),
    ("El puente", "Esta película fue prohibida y ya no se encuentra en los archivos."),
    ("Il ponte", "Questo film non è mai stato trovato in versione completa."),
    ("A ponte", "Este filme foi removido da lista de filmes perdidos em 1990."),
    ("De brug", "Deze film is niet eerder op dvd verschenen."),
    ("Most", "Ten film nie był pokazywany w Twoim kraju do 1989 roku."),
    ("Мост", "Этот фильм не выходил в прокат. Сцена удалена."),
    ("Most", "Tento film nebyl nikdy uveden v kinech. Kopie byla nalezena v archivu."),
    ("橋", "この映画は長い間失われていた。動画は国立アーカイブの提供です。"),
    ("Bron", "Den här filmen har inte visats i Sverige sedan 1931."),
    (
        "The Bridge",
        "This film is in the public domain. The original file was removed from YouTube, so watch it here.",
    ),
    ("The Bridge", "This movie is not available on Netflix. Watch it free here."),
    ("The Bridge", "This film is no longer protected by copyright."),
    ("The Bridge", "The page of history was deleted. This film tells it."),
    ("The Bridge", "This video has been removed from private mode and is free to watch."),
    ("The Bridge", "Sign in to save this film. Members only features: notes."),
    ("The Bridge", "We'll be back with part two. Check back soon for more films."),
    ("The Bridge", "The film was temporarily closed by censors."),
    ("The Bridge", "Not available for download. Streaming only in the browser."),
    ("The Bridge", "This programme is available until 31 December."),
    ("The Bridge", "Available in: United States, Canada. Only in English."),
    ("The Bridge", "An error occurred? Reload. Error reports: mail us."),
    ("The Bridge", "Verified by humans. No robots. Enable JavaScript for comments."),
    ("The Bridge", "This website uses cookies. Please enable cookies to remember your place."),
    ("The Bridge", "The link below has expired rights abroad."),
    (
        "The Bridge",
        "Server 1 Server 2 Server 3. If the video is not available try another server or come back later.",
    ),
    ("The Bridge", "Players: HD, SD. Video not playing? Disable your VPN or proxy."),
    ("Bridge 404", "Film number 404 in our catalogue."),
    ("The Bridge", "Released in 1931 by Gone Pictures.</p><h2>404 comments</h2>"),
    ("The Bridge", "A short.</p><h2>Deleted scenes</h2><h2>Not available elsewhere</h2>"),
    ("Watch The Bridge online free", "A short.</p><h2>This video is unavailable in 4K</h2>"),
    ("The Bridge", "A short.</p><h2>Private: notes</h2><h2>Related: Video not found (2011)</h2>"),
)  # fmt: skip
"""Headings and short texts of films, with no player in sight."""
