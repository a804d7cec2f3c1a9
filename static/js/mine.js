/* A visitor's own lists, in this browser only: hearts on cards, "Watchlist" and "Watched" on a movie's page. */
(() => {
  "use strict";
  const KEY = "mine", unkept = document.currentScript.dataset.unkept;
  const isObject = (value) => value !== null && typeof value === "object" && !Array.isArray(value);

  // {watchlist: {IMDB_ID: {title, added}}, watched: the same}. Whatever else is found there counts as nothing.
  const read = () => {
    let found = null;
    try { found = JSON.parse(localStorage.getItem(KEY)); } catch { /* forbidden, or not ours */ }
    const list = (name) => (isObject(found) && isObject(found[name]) ? found[name] : {});
    return { watchlist: list("watchlist"), watched: list("watched") };
  };
  const write = (lists) => {
    try { localStorage.setItem(KEY, JSON.stringify(lists)); return true; } catch { return false; }
  };

  const refresh = () => {
    const lists = read();
    document.querySelectorAll("[data-list]").forEach((button) => {
      button.setAttribute("aria-pressed", String(Object.hasOwn(lists[button.dataset.list], button.dataset.id)));
    });
  };
  const titleOf = (button) => {
    const card = button.closest(".movie-card"), name = card ? card.querySelector(".name") : document.querySelector("h1");
    return name.textContent.trim().slice(0, 200);
  };
  const keep = (button, isKept) => {
    const lists = read(), list = lists[button.dataset.list];
    if (isKept) list[button.dataset.id] = { title: titleOf(button), added: Date.now() };
    else delete list[button.dataset.id];
    if (!write(lists)) document.dispatchEvent(new CustomEvent("failure", { detail: unkept }));
    refresh();
  };

  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-list]");
    if (button) keep(button, button.getAttribute("aria-pressed") !== "true");
  });
  // The player tells which part has ended: a film without parts has been watched, an episode is not the show.
  document.addEventListener("watched", (event) => {
    const button = document.querySelector(".keep-buttons [data-list=watched]");
    if (button && event.detail === "--") keep(button, true);
  });
  document.addEventListener("htmx:afterSettle", refresh);
  addEventListener("storage", refresh);
  addEventListener("pageshow", refresh);
  refresh();
  window.mine = { read, write, refresh, isObject };
})();
