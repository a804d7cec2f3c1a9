/* The page of a visitor's own lists: it asks the server for cards by IMDb id, and reads and writes a file. */
(() => {
  "use strict";
  const root = document.getElementById("mine"), texts = root.dataset, { mine } = window;
  const status = root.querySelector(".mine-status"), part = (name) => root.querySelector(`[data-${name}]`);
  const FORMAT = "openreel-mine", MAX_BYTES = 5e6, BATCH = Number(texts.max);
  const fill = (text, values) => text.replace(/\{(\w+)\}/g, (_, name) => values[name]);
  const say = (text) => { status.textContent = text; };

  const newest = (entries, time) => entries.sort((one, other) => other[time] - one[time]);

  const entriesOf = (name) => {
    const lists = mine.read(), titles = { ...lists.watched, ...lists.watchlist };
    if (name !== "continue") return newest(Object.entries(lists[name]).map(([id, entry]) => ({ ...entry, id })), "added");
    const found = new Map();
    for (const place of newest(mine.positions(), "saved")) if (!found.has(place.imdb_id)) found.set(place.imdb_id, place);
    return [...found.values()].map((place) => ({ id: place.imdb_id, title: titles[place.imdb_id]?.title, place }));
  };
  const forget = (name, id) => {
    if (name === "continue") return mine.positions().filter((one) => one.imdb_id === id).forEach(mine.removePosition);
    const lists = mine.read();
    delete lists[name][id];
    return mine.write(lists);
  };

  const removeButton = (section, name, entry, item) => {
    const button = Object.assign(document.createElement("button"), { type: "button", className: "btn quiet small", textContent: texts.remove });
    button.setAttribute("aria-label", fill(texts.removeTitle, { title: entry.title || entry.id }));
    button.addEventListener("click", () => {
      forget(name, entry.id);
      item.remove();
      section.querySelector("h2").focus();
      mine.refresh();
    });
    return button;
  };
  const showPlace = (section, card, { id, place }) => {
    let text = card.querySelector(".place");
    if (!text) {
      text = document.createElement("p");
      text.className = "place";
      card.append(text, removeButton(section, "continue", { id, title: card.querySelector(".name").textContent }, card));
    }
    const [season, episode] = place.part.split("-"), link = new URL(card.querySelector("a").href);
    const numbers = `${season && `S${season} `}${episode && `E${episode}`}`.trim();
    const at = fill(texts.place, { at: mine.clock(place.at), duration: mine.clock(place.duration) });
    text.textContent = numbers ? `${numbers}. ${at}` : at;
    link.search = season && `?season=${season}`;
    card.querySelector("a").href = link;
  };
  const goneItem = (section, name, entry) => {
    const item = document.createElement("li"), text = document.createElement("span");
    text.textContent = fill(texts.gone, { title: entry.title || entry.id });
    item.append(text, removeButton(section, name, entry, item));
    return item;
  };

  const cardsOf = async (ids) => {
    const response = await fetch(`${texts.cards}?ids=${ids.join(",")}`);
    if (!response.ok) throw new Error(String(response.status));
    const holder = document.createElement("template");
    holder.innerHTML = await response.text();
    return [...holder.content.querySelectorAll("li")].map((card) => [card.querySelector("[data-id]").dataset.id, card]);
  };
  // The parts of the page: how many titles each shows, the items of those that it has asked for, and how often it was shown.
  const sections = [...root.querySelectorAll("[data-mine]")].map((section) => (
    { section, name: section.dataset.mine, shown: BATCH, cards: new Map(), turn: 0 }
  ));
  const load = async ({ section, name, cards }, entries) => {
    const unknown = entries.filter((entry) => !cards.has(entry.id));
    for (let from = 0; from < unknown.length; from += BATCH) {
      const batch = unknown.slice(from, from + BATCH), found = new Map(await cardsOf(batch.map((entry) => entry.id)));
      batch.forEach((entry) => cards.set(entry.id, found.get(entry.id) || goneItem(section, name, entry)));
    }
  };
  // What has the focus keeps it where it is shown again.
  const replace = (list, items) => {
    if (items.length === list.children.length && items.every((item, number) => item === list.children[number])) return;
    const focused = document.activeElement, isWithin = list.contains(focused);
    list.replaceChildren(...items);
    if (isWithin) (focused.isConnected ? focused : list.closest("section").querySelector("h2")).focus({ preventScroll: true });
  };
  const show = async (one) => {
    const { section, name, cards } = one, turn = one.turn += 1, entries = entriesOf(name);
    const wanted = entries.slice(0, one.shown), nothing = section.querySelector(".nothing");
    await load(one, wanted);
    if (turn !== one.turn) return;
    if (nothing) nothing.hidden = entries.length > 0; else section.hidden = !entries.length;
    const items = wanted.map((entry) => cards.get(entry.id)), isCard = (item) => item.matches(".movie-card");
    replace(section.querySelector(".grid"), items.filter(isCard));
    replace(section.querySelector(".gone"), items.filter((item) => !isCard(item)));
    if (name === "continue") wanted.forEach((entry, number) => { if (isCard(items[number])) showPlace(section, items[number], entry); });
    section.querySelector(".more button").hidden = entries.length <= one.shown;
    mine.refresh();
  };
  const attempt = async (act) => { try { await act(); } catch { say(texts.unreachable); } };
  const render = () => sections.forEach((one) => attempt(() => show(one)));
  sections.forEach((one) => one.section.querySelector(".more button").addEventListener("click", async () => {
    const before = one.section.querySelectorAll(".grid > li").length;
    one.shown += BATCH;
    await attempt(() => show(one));
    one.section.querySelectorAll(".grid > li")[before]?.querySelector("a").focus();
  }));

  const exported = () => {
    const lists = mine.read(), rows = (list) => Object.entries(list).map(([id, { title, added }]) => ({ imdb_id: id, title, added }));
    return { format: FORMAT, version: 1, watchlist: rows(lists.watchlist), watched: rows(lists.watched), positions: mine.positions() };
  };
  // Adds what is readable; of two entries for one title the newer one stays. Throws if the file is none of ours.
  const merge = (file) => {
    if (!mine.isObject(file) || file.format !== FORMAT) throw new Error("another format");
    const lists = mine.read(), places = [], rows = (name) => (Array.isArray(file[name]) ? file[name] : []);
    let imported = 0, leftOut = 0;
    const take = (isGood, act) => { if (isGood) { imported += 1; act(); } else leftOut += 1; };
    for (const name of ["watchlist", "watched"]) {
      for (const row of rows(name)) {
        take(mine.isObject(row) && mine.isId(row.imdb_id), () => {
          const entry = mine.readEntry(row);
          if (!(lists[name][row.imdb_id]?.added > entry.added)) lists[name][row.imdb_id] = entry;
        });
      }
    }
    for (const row of rows("positions")) {
      take(mine.isPosition(row), () => { if (!(mine.readPosition(row.imdb_id, row.part)?.saved > row.saved)) places.push(row); });
    }
    const failure = mine.write(lists) || places.map(mine.writePosition).find(Boolean);
    if (failure) return texts[failure];
    return `${fill(texts.imported, { number: imported })} ${leftOut ? fill(texts.leftOut, { number: leftOut }) : ""}`;
  };

  // Where the browser forbids the site to store anything there is nothing to export or to delete.
  const onClick = (name, act) => part(name).addEventListener("click", () => { if (mine.isForbidden()) say(texts.forbidden); else act(); });
  onClick("export", () => {
    const address = URL.createObjectURL(new Blob([JSON.stringify(exported(), null, 1)], { type: "application/json" }));
    Object.assign(document.createElement("a"), { href: address, download: `${FORMAT}.json` }).click();
    setTimeout(() => URL.revokeObjectURL(address), 1000);
  });
  part("import").addEventListener("change", async (event) => {
    const [file] = event.target.files;
    if (!file) return;
    event.target.setAttribute("aria-busy", "true");
    try {
      say(file.size > MAX_BYTES ? texts.tooBig : merge(JSON.parse(await file.text())));
    } catch { say(texts.badFile); } finally {
      event.target.value = "";
      event.target.removeAttribute("aria-busy");
    }
    render();
  });
  onClick("delete", () => {
    if (!confirm(texts.sure)) return;
    mine.positions().forEach(mine.removePosition);
    mine.write({ watchlist: {}, watched: {} });
    say(texts.deleted);
    render();
  });

  part("lists").hidden = false;
  mine.onChange(render);
  if (mine.isForbidden()) say(texts.forbidden);
  render();
})();
