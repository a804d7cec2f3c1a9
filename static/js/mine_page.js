/* The page of a visitor's own lists: it asks the server for cards by IMDb id, and reads and writes a file. */
(() => {
  "use strict";
  const root = document.getElementById("mine"), texts = root.dataset, { read, write, refresh, isObject } = window.mine;
  const status = root.querySelector(".mine-status"), part = (name) => root.querySelector(`[data-${name}]`);
  const FORMAT = "openreel-mine", MAX_BYTES = 5e6, ID = /^tt[0-9]{7,9}$/, PART = /^[0-9]{0,5}-[0-9]{0,5}-[0-9]{0,5}$/;
  const fill = (text, values) => text.replace(/\{(\w+)\}/g, (_, name) => values[name]);
  const say = (text) => { status.textContent = text; };

  // Positions are the player's: "position:IMDB_ID:PART".
  const isPosition = ({ imdb_id: id, part: place, at, duration, saved }) =>
    ID.test(id) && PART.test(place) && [at, duration, saved].every(Number.isFinite) && at >= 0 && at <= duration;
  const positions = () => Object.keys(localStorage).flatMap((key) => {
    const [kind, id, place] = key.split(":");
    if (kind !== "position") return [];
    try {
      const position = { ...JSON.parse(localStorage.getItem(key)), imdb_id: id, part: place };
      return isPosition(position) ? [position] : [];
    } catch { return []; }
  });
  const newest = (entries, time) => entries.sort((one, other) => other[time] - one[time]);

  const clock = (seconds) => {
    const [hours, minutes, rest] = [seconds / 3600, (seconds / 60) % 60, seconds % 60].map(Math.floor);
    return `${hours ? `${hours}:${String(minutes).padStart(2, "0")}` : minutes}:${String(rest).padStart(2, "0")}`;
  };

  const entriesOf = (name) => {
    const lists = read(), titles = { ...lists.watched, ...lists.watchlist };
    if (name !== "continue") {
      return newest(Object.entries(lists[name]).filter(([id]) => ID.test(id)).map(([id, entry]) => ({ ...entry, id })), "added");
    }
    const found = new Map();
    for (const place of newest(positions(), "saved")) if (!found.has(place.imdb_id)) found.set(place.imdb_id, place);
    return [...found.values()].map((place) => ({ id: place.imdb_id, title: titles[place.imdb_id]?.title, place }));
  };
  const forget = (name, id) => {
    if (name !== "continue") {
      const lists = read();
      delete lists[name][id];
      return write(lists);
    }
    return positions().filter((one) => one.imdb_id === id).forEach((one) => localStorage.removeItem(`position:${id}:${one.part}`));
  };

  const removeButton = (section, name, entry, item) => {
    const button = Object.assign(document.createElement("button"), { type: "button", className: "btn quiet small", textContent: texts.remove });
    button.setAttribute("aria-label", fill(texts.removeTitle, { title: entry.title || entry.id }));
    button.addEventListener("click", () => {
      forget(name, entry.id);
      item.remove();
      section.querySelector("h2").focus();
      refresh();
    });
    return button;
  };
  const addPlace = (section, card, entry) => {
    const { part: place, at, duration } = entry.place, [season, episode] = place.split("-");
    const text = document.createElement("p"), link = card.querySelector("a");
    text.className = "place";
    entry.title = card.querySelector(".name").textContent;
    text.textContent = `${episode ? `${fill(texts.episode, { season: season || 1, episode })}. ` : ""}${fill(texts.place, { at: clock(at), duration: clock(duration) })}`;
    if (season) link.href += `?season=${season}`;
    card.append(text, removeButton(section, "continue", entry, card));
  };
  const addGone = (section, name, entry) => {
    const item = document.createElement("li"), text = document.createElement("span");
    text.textContent = fill(texts.gone, { title: entry.title || entry.id });
    item.append(text, removeButton(section, name, entry, item));
    section.querySelector(".gone").append(item);
  };

  const cardsOf = async (ids) => {
    const response = await fetch(`${texts.cards}?ids=${ids.join(",")}`);
    if (!response.ok) throw new Error(String(response.status));
    const holder = document.createElement("template");
    holder.innerHTML = await response.text();
    return new Map([...holder.content.querySelectorAll("li")].map((card) => [card.querySelector("[data-id]").dataset.id, card]));
  };
  const show = async (section, name, entries) => {
    const batch = entries.slice(0, texts.max), rest = entries.slice(texts.max), more = section.querySelector(".more button");
    const cards = batch.length ? await cardsOf(batch.map((entry) => entry.id)) : new Map();
    for (const entry of batch) {
      const card = cards.get(entry.id);
      if (!card) { addGone(section, name, entry); continue; }
      section.querySelector(".grid").append(card);
      if (name === "continue") addPlace(section, card, entry);
    }
    more.hidden = !rest.length;
    more.onclick = async () => {
      const before = section.querySelectorAll(".grid > li").length;
      await attempt(() => show(section, name, rest));
      section.querySelectorAll(".grid > li")[before]?.querySelector("a").focus();
    };
    refresh();
  };
  const attempt = async (act) => { try { await act(); } catch { say(texts.unreachable); } };
  const render = () => root.querySelectorAll("[data-mine]").forEach((section) => {
    const name = section.dataset.mine, entries = entriesOf(name), nothing = section.querySelector(".nothing");
    section.querySelector(".grid").replaceChildren();
    section.querySelector(".gone").replaceChildren();
    if (nothing) nothing.hidden = entries.length > 0; else section.hidden = !entries.length;
    attempt(() => show(section, name, entries));
  });

  const exported = () => {
    const lists = read(), rows = (list) => Object.entries(list).map(([id, { title, added }]) => ({ imdb_id: id, title, added }));
    return { format: FORMAT, version: 1, watchlist: rows(lists.watchlist), watched: rows(lists.watched), positions: positions() };
  };
  // Adds what is readable; of two entries for one title the newer one stays. Throws if the file is none of ours.
  const merge = (file) => {
    if (!isObject(file) || file.format !== FORMAT) throw new Error("another format");
    const lists = read(), counts = { imported: 0, leftOut: 0 }, rows = (name) => (Array.isArray(file[name]) ? file[name] : []);
    const take = (isGood, act) => { if (isGood) { counts.imported += 1; act(); } else counts.leftOut += 1; };
    for (const name of ["watchlist", "watched"]) {
      for (const row of rows(name)) {
        const entry = isObject(row) ? { title: String(row.title ?? "").slice(0, 200), added: Number(row.added) || 0 } : null;
        take(entry && ID.test(row.imdb_id), () => { if (!(lists[name][row.imdb_id]?.added > entry.added)) lists[name][row.imdb_id] = entry; });
      }
    }
    const known = new Map(positions().map((one) => [`position:${one.imdb_id}:${one.part}`, one.saved])), places = [];
    for (const row of rows("positions")) {
      take(isObject(row) && isPosition(row), () => {
        const { imdb_id: id, part: place, at, duration, link, saved } = row, key = `position:${id}:${place}`;
        if (!(known.get(key) > saved)) places.push([key, JSON.stringify({ at, duration, link: Number(link) || 0, saved })]);
      });
    }
    let isKept = write(lists);
    try { places.forEach(([key, value]) => localStorage.setItem(key, value)); } catch { isKept = false; }
    return { ...counts, isKept };
  };

  part("export").addEventListener("click", () => {
    const address = URL.createObjectURL(new Blob([JSON.stringify(exported(), null, 1)], { type: "application/json" }));
    Object.assign(document.createElement("a"), { href: address, download: `${FORMAT}.json` }).click();
    setTimeout(() => URL.revokeObjectURL(address), 1000);
  });
  part("import").addEventListener("change", async (event) => {
    const [file] = event.target.files;
    if (!file) return;
    event.target.setAttribute("aria-busy", "true");
    try {
      if (file.size > MAX_BYTES) return say(texts.tooBig);
      const { imported, leftOut, isKept } = merge(JSON.parse(await file.text()));
      say(isKept ? `${fill(texts.imported, { number: imported })} ${leftOut ? fill(texts.leftOut, { number: leftOut }) : ""}` : texts.unkept);
      render();
    } catch { say(texts.badFile); } finally {
      event.target.value = "";
      event.target.removeAttribute("aria-busy");
    }
  });
  part("delete").addEventListener("click", () => {
    if (!confirm(texts.sure)) return;
    positions().forEach((one) => localStorage.removeItem(`position:${one.imdb_id}:${one.part}`));
    write({ watchlist: {}, watched: {} });
    say(texts.deleted);
    render();
  });

  part("lists").hidden = false;
  try { render(); } catch { say(texts.unkept); }
})();
