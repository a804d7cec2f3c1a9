/* Progressive enhancement only: every page works without this file. */
(() => {
  "use strict";
  const $ = (selector, from = document) => from.querySelector(selector);
  const all = (selector) => document.querySelectorAll(selector);
  const root = document.documentElement;
  const live = $("#live");
  // Texts in the viewer's language.
  const texts = $("#toasts").dataset;
  const announce = (text) => { live.textContent = ""; setTimeout(() => { live.textContent = text; }, 60); };
  root.classList.add("has-js");

  // Colour theme: system, light, dark. A cookie, so that the server renders the right one and nothing flashes.
  const toggle = $("[data-theme-toggle]");
  const theme = () => root.dataset.theme || "system";
  const label = () => toggle.setAttribute("aria-label", toggle.dataset[theme()]);
  if (toggle) {
    label();
    toggle.addEventListener("click", () => {
      const next = { system: "light", light: "dark", dark: "system" }[theme()];
      if (next === "system") delete root.dataset.theme; else root.dataset.theme = next;
      document.cookie = `theme=${next};path=/;max-age=31536000;samesite=lax`;
      label();
      announce(toggle.getAttribute("aria-label"));
    });
  }

  // "/" focuses the search field.
  document.addEventListener("keydown", (event) => {
    if (event.key !== "/" || event.ctrlKey || event.metaKey || event.altKey || event.target.matches("input,textarea,select")) return;
    const field = $("[data-slash]");
    if (field) { event.preventDefault(); field.focus(); field.select(); }
  });

  // A poster that cannot be loaded is replaced by the generated one, also if it failed before this script ran.
  const usePlaceholder = (img) => {
    const placeholder = img.dataset.fallback;
    if (placeholder) { delete img.dataset.fallback; img.src = placeholder; }
  };
  document.addEventListener("error", (event) => { if (event.target.tagName === "IMG") usePlaceholder(event.target); }, true);
  all("img[data-fallback]").forEach((img) => { if (img.complete && !img.naturalWidth) usePlaceholder(img); });

  // Toasts close after 6 s unless hovered or focused.
  const setUpToast = (toast) => {
    if (toast.dataset.ready) return;
    toast.dataset.ready = "1";
    const close = document.createElement("button");
    close.type = "button";
    close.textContent = "×";
    close.setAttribute("aria-label", texts.dismiss);
    close.addEventListener("click", () => toast.remove());
    toast.append(close);
    let timer;
    const startTimer = () => { timer = setTimeout(() => toast.remove(), 6000); };
    const stopTimer = () => clearTimeout(timer);
    toast.addEventListener("pointerenter", stopTimer);
    toast.addEventListener("pointerleave", startTimer);
    toast.addEventListener("focusin", stopTimer);
    toast.addEventListener("focusout", startTimer);
    startTimer();
    announce($("span", toast).textContent);
  };
  const showError = (text) => {
    if ([...all(".toast > span")].some((span) => span.textContent === text)) return;
    // "In 35 seconds" replaces "in 37 seconds".
    all(".toast[data-error]").forEach((old) => old.remove());
    const toast = document.createElement("div");
    toast.dataset.error = "";
    const message = document.createElement("span");
    toast.className = "toast error";
    message.textContent = text;
    toast.append(message);
    $("#toasts").append(toast);
    setUpToast(toast);
  };

  // Copies text. Pages without https have no clipboard; there the text of a selected field can be copied.
  const copy = async (text, field) => {
    try { await navigator.clipboard.writeText(text); return true; } catch { /* the other way */ }
    const source = field || document.body.appendChild(Object.assign(document.createElement("input"), { value: text }));
    source.select();
    const done = document.execCommand("copy");
    if (!field) source.remove();
    return done;
  };
  // The button says it, and has its own name again once that could be read.
  const sayCopied = (button) => {
    const name = $("span", button), { copied } = button.dataset;
    announce(copied);
    button.dataset.name ??= name.textContent;
    name.textContent = copied;
    clearTimeout(button.timer);
    button.timer = setTimeout(() => { name.textContent = button.dataset.name; }, 4000);
    button.focus();
  };
  document.addEventListener("click", async (event) => {
    const button = event.target.closest("[data-copy]"), field = button && document.getElementById(button.dataset.copy);
    if (!field) return;
    field.select();
    if (await copy(field.value, field)) sayCopied(button);
  });
  // Recommends by the system's own dialog; where there is none, the address is copied.
  document.addEventListener("click", async (event) => {
    const button = event.target.closest("[data-recommend]");
    if (!button) return;
    const { recommend: url, title } = button.dataset;
    if (navigator.share) return navigator.share({ title, url }).catch(() => { /* the visitor has closed it */ });
    if (await copy(url)) sayCopied(button);
  });

  // "Report" in a row chooses its link in the form, to which it leads.
  document.addEventListener("click", (event) => {
    const reported = event.target.closest("[data-report-link]"), select = $("#report [name=link]");
    if (!reported || !select || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    select.value = reported.dataset.reportLink;
    location.hash = "report";
    select.focus();
  });
  // A search that ends brings the rows and the form anew. Details stay open; what is being reported stays as it is,
  // and the form only gets the links that were found.
  document.addEventListener("htmx:oobBeforeSwap", ({ detail }) => {
    const { target, fragment } = detail;
    target.querySelectorAll("details[open][id]").forEach(({ id }) => {
      const same = $(`#${id}`, fragment);
      if (same) same.open = true;
    });
    const select = target.id === "report-part" && $("[name=link]", target), found = $("[name=link]", fragment);
    if (!select) return;
    detail.shouldSwap = false;
    if (!found) return;
    const chosen = select.selectedOptions[0];
    select.replaceChildren(...found.options);
    if (chosen && ![...select.options].some(({ value }) => value === chosen.value)) select.append(chosen);
    if (chosen) select.value = chosen.value;
  });
  // A sentence is sent once.
  document.addEventListener("htmx:afterRequest", ({ detail: { successful, elt } }) => {
    if (successful && elt.id === "report") $("[name=note]", elt).value = "";
  });

  document.addEventListener("failure", (event) => showError(event.detail));

  // Keep relative times up to date while the page is open.
  const ago = (time) => {
    const seconds = Math.max(0, (Date.now() - new Date(time.dateTime)) / 1000);
    const unit = [["d", 86400], ["h", 3600], ["min", 60]].find(([, size]) => seconds >= size);
    time.textContent = unit ? texts[unit[0]].replace("%(number)s", Math.floor(seconds / unit[1])) : texts.now;
  };
  setInterval(() => all("time[data-ago]").forEach(ago), 30000);

  // The button is inactive while a search runs: aria-disabled, because a disabled button loses the keyboard focus.
  let state = "";
  const follow = (isSpoken) => {
    const job = $("#job"), button = $("#refresh-btn");
    const now = (job && job.dataset.state) || "", open = now === "queued" || now === "running";
    if (button) button.setAttribute("aria-disabled", String(open));
    if (isSpoken && open && now !== state) announce($(".job-title", job).textContent.trim());
    // The panel shows the result; a message over the page would hide what was found.
    if (isSpoken && !open && (state === "queued" || state === "running") && job) announce(job.dataset.announce || "");
    state = now;
  };
  follow(false);

  // The sheet of filters on phones: results come while it is open, so its button only closes it.
  const sheet = $("#filters");
  if (sheet) {
    $(".show-results", sheet).addEventListener("click", (event) => {
      if (!sheet.matches(":popover-open")) return;
      event.preventDefault();
      sheet.hidePopover();
    });
  }
  const showCounts = (results) => {
    const opener = $(".open-filters"), old = $(".number", opener);
    $(".show-results").textContent = results.dataset.show;
    if (old) old.remove();
    if (results.dataset.filters) {
      opener.append(Object.assign(document.createElement("span"), { className: "number", textContent: results.dataset.filters }));
    }
  };

  // Without a search the best are the best known: one order, offered once.
  const showSorts = (isSearch) => {
    const best = $("[name=sort] [value=best]"), known = $("[name=sort] [value=known]"), { match, known: label } = best.parentElement.dataset;
    best.textContent = isSearch ? match : label;
    if (isSearch && !known) best.after(new Option(label, "known"));
    if (!isSearch && known) known.remove();
  };

  // Enter opens the only title that a search finds; Back leads to the list.
  const field = $("#q");
  let isEntered = false;
  if (field) {
    field.addEventListener("keydown", (event) => { isEntered = event.key === "Enter"; });
  }
  const openSingle = (results) => {
    const hits = results.querySelectorAll(".movie-card > a");
    if (isEntered && "search" in results.dataset && hits.length === 1) location.assign(hits[0].href);
    isEntered = false;
  };

  // "Show more" is kept in the URL, so that Back finds the same cards.
  const rememberPages = () => {
    const url = new URL(location.href), pages = Number(url.searchParams.get("pages")) || 1;
    if (url.searchParams.has("page")) return;
    url.searchParams.set("pages", pages + 1);
    history.replaceState(history.state, "", url);
  };

  // htmx: clean URLs, busy state, announced results, focus.
  const on = (name, act) => document.addEventListener(`htmx:${name}`, act);
  on("configRequest", (event) => {
    const sent = event.detail.parameters;
    if (event.detail.verb !== "get") return;
    for (const key of Object.keys(sent)) if (sent[key] === "" || (key === "sort" && sent[key] === "best")) delete sent[key];
  });
  on("confirm", (event) => { if ($('[aria-disabled="true"]', event.detail.elt)) event.preventDefault(); });
  on("beforeRequest", (event) => { if (event.detail.target.id !== "job") event.detail.target.setAttribute("aria-busy", "true"); });
  on("afterRequest", (event) => event.detail.target.removeAttribute("aria-busy"));
  let before = null;
  on("beforeSwap", (event) => { before = event.detail.target.id === "more" ? event.detail.target.previousElementSibling : null; });
  on("afterSettle", (event) => {
    all(".toast").forEach(setUpToast);
    const results = $("#results");
    if (results && event.detail.target.id === "results") {
      announce(results.dataset.announce);
      showCounts(results);
      showSorts("search" in results.dataset);
      openSingle(results);
    }
    const first = before && before.nextElementSibling && $("a", before.nextElementSibling);
    if (first) {
      first.focus({ preventScroll: true });
      rememberPages();
    }
    before = null;
    follow(true);
  });
  on("responseError", (event) => {
    const { status, responseText } = event.detail.xhr, target = event.detail.target;
    if ([400, 429, 503].includes(status)) return showError(responseText.length < 200 ? responseText : texts.busy);
    if (status === 404 && target.id === "report-answer") return showError(texts.removed);
    if (status === 404 && target.id === "job") {
      // The movie was removed during its search: without the panel the polling ends.
      target.replaceWith(Object.assign(document.createElement("div"), { id: "job" }));
      follow(false);
      return showError(texts.removed);
    }
    return showError(texts.failed);
  });
  on("sendError", () => showError(texts.offline));
})();

/* A visitor's own lists, in this browser only: hearts on cards, "Watchlist" and "Watched" on a movie's page. */
(() => {
  "use strict";
  const KEY = "mine", { unkept, full } = document.currentScript.dataset;
  const ID = /^tt[0-9]{7,9}$/, PART = /^[0-9]{0,5}-[0-9]{0,5}-[0-9]{0,5}$/;
  // The longest film takes 857 hours; no later date than the last one of JavaScript.
  const MAX_SECONDS = 1e7, MAX_DATE = 8.64e15;
  const isObject = (value) => value !== null && typeof value === "object" && !Array.isArray(value);
  const isText = (value, pattern) => typeof value === "string" && pattern.test(value);
  const isId = (value) => isText(value, ID);

  // What is stored may be forbidden, full or damaged. Reading gives null, writing why nothing was kept, or nothing.
  const stored = (key) => { try { return JSON.parse(localStorage.getItem(key)); } catch { return null; } };
  const store = (key, value) => {
    try { localStorage.setItem(key, JSON.stringify(value)); } catch (error) { return error.name === "QuotaExceededError" ? "full" : "unkept"; }
  };
  const keys = () => { try { return Object.keys(localStorage); } catch { return []; } };
  const remove = (key) => { try { localStorage.removeItem(key); } catch { /* nothing was stored */ } };
  const isForbidden = () => { try { return !localStorage; } catch { return true; } };

  const readEntry = ({ title, added }) => ({
    title: typeof title === "string" ? title.slice(0, 200) : "", added: Number.isFinite(added) ? added : 0,
  });
  const readList = (list) => Object.fromEntries(
    Object.entries(isObject(list) ? list : {}).flatMap(([id, entry]) => (isId(id) && isObject(entry) ? [[id, readEntry(entry)]] : [])),
  );
  // {watchlist: {IMDB_ID: {title, added}}, watched: the same}. Whatever else is found there counts as nothing.
  const read = () => {
    const found = stored(KEY), { watchlist, watched } = isObject(found) ? found : {};
    return { watchlist: readList(watchlist), watched: readList(watched) };
  };
  const write = (lists) => store(KEY, lists);

  // How far the part of a movie was watched: {imdb_id, part, at, duration, link, saved}, under "position:IMDB_ID:PART".
  const within = (number, max) => Number.isFinite(number) && number >= 0 && number <= max;
  const isPosition = (one) => isObject(one) && isId(one.imdb_id) && isText(one.part, PART)
    && within(one.duration, MAX_SECONDS) && within(one.at, one.duration) && within(one.saved, MAX_DATE);
  const positionKey = (id, part) => `position:${id}:${part}`;
  const readPosition = (id, part) => {
    const found = stored(positionKey(id, part)), position = isObject(found) ? { ...found, imdb_id: id, part } : null;
    return isPosition(position) ? position : null;
  };
  const writePosition = ({ imdb_id: id, part, at, duration, link, saved }) => store(
    positionKey(id, part), { at, duration, link: Number.isFinite(link) ? link : 0, saved },
  );
  const removePosition = ({ imdb_id: id, part }) => remove(positionKey(id, part));
  const positions = () => keys().flatMap((key) => {
    const [kind, id, part] = key.split(":");
    return (kind === "position" && readPosition(id, part)) || [];
  });
  const clock = (seconds) => {
    const [hours, minutes, rest] = [seconds / 3600, (seconds / 60) % 60, seconds % 60].map(Math.floor);
    return `${hours ? `${hours}:${String(minutes).padStart(2, "0")}` : minutes}:${String(rest).padStart(2, "0")}`;
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
    const why = write(lists);
    if (why) document.dispatchEvent(new CustomEvent("failure", { detail: { unkept, full }[why] }));
    refresh();
  };

  // Act when another tab has changed what is stored, or Back has brought an older state of this page.
  const onChange = (act) => {
    let timer = 0;
    addEventListener("storage", () => { clearTimeout(timer); timer = setTimeout(act, 100); });
    addEventListener("pageshow", (event) => { if (event.persisted) act(); });
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
  onChange(refresh);
  refresh();
  window.mine = {
    read, write, refresh, onChange, clock, isObject, isForbidden, readEntry, isId, stored, store,
    isPosition, positions, readPosition, writePosition, removePosition,
  };
})();
