/* Progressive enhancement only: every page works without this file. */
(() => {
  "use strict";
  const $ = (selector, from = document) => from.querySelector(selector);
  const all = (selector) => document.querySelectorAll(selector);
  const root = document.documentElement;
  const live = $("#live");
  const say = (text) => { live.textContent = ""; setTimeout(() => { live.textContent = text; }, 60); };
  root.classList.add("has-js");

  // Colour theme: system, light, dark. A cookie, so that the server renders the right one and nothing flashes.
  const toggle = $("[data-theme-toggle]");
  const theme = () => root.dataset.theme || "system";
  const label = () => toggle.setAttribute("aria-label", `Colour theme: ${theme() === "system" ? "follow system" : theme()}`);
  if (toggle) {
    label();
    toggle.addEventListener("click", () => {
      const next = { system: "light", light: "dark", dark: "system" }[theme()];
      if (next === "system") delete root.dataset.theme; else root.dataset.theme = next;
      document.cookie = `theme=${next};path=/;max-age=31536000;samesite=lax`;
      label();
      say(toggle.getAttribute("aria-label"));
    });
  }

  // "/" goes to the search field.
  document.addEventListener("keydown", (event) => {
    if (event.key !== "/" || event.ctrlKey || event.metaKey || event.altKey || event.target.matches("input,textarea,select")) return;
    const field = $("[data-slash]");
    if (field) { event.preventDefault(); field.focus(); field.select(); }
  });

  // A poster that cannot be loaded gives way to the drawn one; those that failed before this ran, too.
  const draw = (img) => {
    const drawn = img.dataset.fallback;
    if (drawn) { delete img.dataset.fallback; img.src = drawn; }
  };
  document.addEventListener("error", (event) => { if (event.target.tagName === "IMG") draw(event.target); }, true);
  all("img[data-fallback]").forEach((img) => { if (img.complete && !img.naturalWidth) draw(img); });

  // Toasts leave by themselves after 6 s unless pointed at or focused.
  const wire = (toast) => {
    if (toast.dataset.wired) return;
    toast.dataset.wired = "1";
    const close = document.createElement("button");
    close.type = "button";
    close.textContent = "×";
    close.setAttribute("aria-label", "Dismiss");
    close.addEventListener("click", () => toast.remove());
    toast.append(close);
    let timer;
    const arm = () => { timer = setTimeout(() => toast.remove(), 6000); };
    const hold = () => clearTimeout(timer);
    toast.addEventListener("pointerenter", hold);
    toast.addEventListener("pointerleave", arm);
    toast.addEventListener("focusin", hold);
    toast.addEventListener("focusout", arm);
    arm();
    say($("span", toast).textContent);
  };
  const complain = (text) => {
    if ([...all(".toast > span")].some((span) => span.textContent === text)) return;
    // "In 35 seconds" takes the place of "in 37 seconds".
    all(".toast[data-complaint]").forEach((old) => old.remove());
    const toast = document.createElement("div");
    toast.dataset.complaint = "";
    const words = document.createElement("span");
    toast.className = "toast error";
    words.textContent = text;
    toast.append(words);
    $("#toasts").append(toast);
    wire(toast);
  };

  // Relative times stay true while the page is open.
  const ago = (time) => {
    const seconds = Math.max(0, (Date.now() - new Date(time.dateTime)) / 1000);
    const unit = [["d", 86400], ["h", 3600], ["min", 60]].find(([, size]) => seconds >= size);
    time.textContent = unit ? `${Math.floor(seconds / unit[1])} ${unit[0]} ago` : "just now";
  };
  setInterval(() => all("time[data-ago]").forEach(ago), 30000);

  // The button rests while a search runs. aria-disabled, not disabled: a disabled button drops the keyboard focus.
  let state = "";
  const follow = (speak) => {
    const job = $("#job"), button = $("#refresh-btn");
    const now = (job && job.dataset.state) || "", open = now === "queued" || now === "running";
    if (button) button.setAttribute("aria-disabled", String(open));
    if (speak && open && now !== state) say($(".job-title", job).textContent.trim());
    state = now;
  };
  follow(false);

  // htmx: clean addresses, busy state, spoken results, focus that is not lost.
  const on = (name, act) => document.addEventListener(`htmx:${name}`, act);
  on("configRequest", (event) => {
    const sent = event.detail.parameters;
    if (event.detail.verb !== "get") return;
    for (const key of Object.keys(sent)) if (sent[key] === "" || (key === "sort" && sent[key] === "title")) delete sent[key];
  });
  on("confirm", (event) => { if ($('[aria-disabled="true"]', event.detail.elt)) event.preventDefault(); });
  on("beforeRequest", (event) => { if (event.detail.target.id !== "job") event.detail.target.setAttribute("aria-busy", "true"); });
  on("afterRequest", (event) => event.detail.target.removeAttribute("aria-busy"));
  let before = null;
  on("beforeSwap", (event) => { before = event.detail.target.id === "more" ? event.detail.target.previousElementSibling : null; });
  on("afterSettle", (event) => {
    all(".toast").forEach(wire);
    const results = $("#results");
    if (results && event.detail.target.id === "results") say(results.dataset.announce);
    const first = before && before.nextElementSibling && $("a", before.nextElementSibling);
    if (first) first.focus({ preventScroll: true });
    before = null;
    follow(true);
  });
  on("responseError", (event) => {
    const { status, responseText } = event.detail.xhr, target = event.detail.target;
    if (status === 429 || status === 503) return complain(responseText.length < 200 ? responseText : "Too busy. Try again in a minute.");
    if (status === 404 && target.id === "job") {
      // The movie went while its search ran: without the panel nothing asks any more.
      target.replaceWith(Object.assign(document.createElement("div"), { id: "job" }));
      follow(false);
      return complain("This title is no longer in the catalogue.");
    }
    return complain("That did not work. Try again.");
  });
  on("sendError", () => complain("No connection. Check your network and try again."));
})();
