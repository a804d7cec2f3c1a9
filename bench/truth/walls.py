"""Walls of the farm: pages that ask for proof of a human, with the public signs of their vendors. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from bench.truth.replies import Respond, always, html, refreshing, says

ANUBIS = html(
    "<!doctype html><html><head><title>Checking that you are human</title><link rel=stylesheet "
    "href=/.within.website/x/xess/xess.css></head><body><h1>Checking that you are human</h1><p>One moment.</p>"
    "<script id=anubis_version type=application/json>1</script></body></html>"
)
AMAZON = (
    "<html><head><title></title><script>window.gokuProps={}</script><script src=https://x.token.awswaf.com/"
    "challenge.js></script></head><body><div id=challenge-container></div></body></html>"
)
IMPERVA = "<html><body><iframe id=main-iframe src=/_Incapsula_Resource?x=1>Request unsuccessful.</iframe></body>"
COOKIE = (
    '<html><body><script src=/aes.js></script><script>document.cookie="__test="+slowAES.decrypt(c,2,a,b);'
    'location.href="?i=1"</script><noscript>Please enable JavaScript.</noscript></body></html>'
)
WAIT = "<html><head><title>Just a moment...</title></head><body><div class=cf-spinner></div></body></html>"
TURN = (
    "<html><head><title>One more step</title><script src=https://challenges.cloudflare.com/turnstile/v0/api.js>"
    "</script></head><body><div class=cf-turnstile></div></body></html>"
)
WALLS: Mapping[str, tuple[str, Respond]] = {
    "anubis": ("Anubis", always(ANUBIS)),
    "aws-202": ("AWS WAF", always(html(AMAZON, 202, ("x-amzn-waf-action", "challenge")))),
    "aws-202-empty": ("AWS WAF", always(html(b"", 202, ("x-amzn-waf-action", "challenge")))),
    "aws-405": ("AWS WAF", always(html(AMAZON, 405, ("x-amzn-waf-action", "captcha")))),
    "siteground": ("SiteGround", always(html(refreshing("/.well-known/sgcaptcha/?r=1").body, 202, (
        "SG-Captcha", "challenge")))),
    "imperva": ("Imperva", always(html(IMPERVA, 200, ("X-Iinfo", "7-7-0 0NNN RT")))),
    "testcookie": ("testcookie-nginx", always(html(COOKIE))),
    "cloudflare-403": ("Cloudflare", always(html(WAIT, 403, ("cf-mitigated", "challenge")))),
    "cloudflare-503": ("Cloudflare", always(html(WAIT, 503, ("Server", "cloudflare")))),
    "turnstile": ("Cloudflare", always(html(TURN))),
    "ddos-guard": ("DDoS-Guard", always(html(
        "<html><head><title>DDoS-Guard</title></head><body><h1>Checking your browser</h1></body></html>", 403,
        ("Server", "ddos-guard")))),
    "akamai": ("Akamai", says("Access Denied", "You have no permission to access this server.", 403,
                              Server="AkamaiGHost")),
    "f5": ("F5", says("Request Rejected", "The requested URL was rejected. Your support ID is: 77.")),
    "perimeterx": ("HUMAN", says("Access to this page has been denied", "Press and hold.", 403)),
    "datadome": ("DataDome", always(html(
        "<html><body><script>var dd={}</script><script src=https://ct.captcha-delivery.com/c.js></script></body>"
        "</html>", 403, ("x-datadome", "protected")))),
    "sucuri": ("Sucuri", says("Sucuri WebSite Firewall - Access Denied", "Your request was blocked.", 403,
                              x_sucuri_block="1")),
    "wordfence": ("Wordfence", says("Your access to this site has been limited by the site owner", "", 503)),
}  # fmt: skip
"""By name: the vendor, and what a host behind its wall says to us."""
