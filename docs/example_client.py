"""`python example_client.py http://127.0.0.1:8000 nosferatu` prints what can be watched, and where.

Needs Python alone. Sends the key in OPENREEL_KEY, if any, and waits when the site asks it to."""

import json
import os
import sys
import time
import urllib.error
import urllib.parse
import urllib.request


def get(url):
    """The JSON at a URL; after 429 or 503 again, when the site said."""
    request = urllib.request.Request(url, headers={"User-Agent": "example-client/1 (+you@example.org)"})
    if key := os.environ.get("OPENREEL_KEY"):
        request.add_header("Authorization", f"Bearer {key}")
    while True:
        try:
            with urllib.request.urlopen(request, timeout=20) as response:
                return json.load(response)
        except urllib.error.HTTPError as error:
            if error.code not in (429, 503):
                sys.exit(f"{error.code}: {error.read().decode()}")
            time.sleep(int(error.headers.get("Retry-After", "5")))


def movies(site, **filters):
    """Each movie that the filters find, page by page."""
    url = f"{site}/api/streaming/movies/?{urllib.parse.urlencode(filters)}"
    while url:
        page = get(url)
        yield from page["results"]
        url = page["next"]


for movie in movies(sys.argv[1].rstrip("/"), search=" ".join(sys.argv[2:]), has_links="true"):
    best = movie["links"][0]
    print(f"{movie['title']} ({movie['year']}): {best['source_name']}, {best['source_url']}")
