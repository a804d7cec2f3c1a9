/* Plays a movie's links in its page. Without this file, or a browser's video, the page is the list of links. */
(() => {
  "use strict";
  const root = document.getElementById("player");
  if (!root) return;
  const part = (name) => root.querySelector(`[data-${name}]`);
  const screen = part("screen"), button = part("play"), copies = part("copies"), captions = part("captions"), texts = part("texts").dataset;
  const here = document.querySelector("[data-play-here]"), restart = part("restart"), statusLine = part("status"), page = part("page");
  const data = JSON.parse(document.getElementById("player-data").textContent);
  const probe = document.createElement("video");
  const canPlay = (choice) => !choice.type || Boolean(probe.canPlayType && probe.canPlayType(choice.type));
  const failed = new Set(), START_SECONDS = 20, STALL_SECONDS = 45, SAVE_SECONDS = 5, MIN_SECONDS = 5;
  let playing = null, video = null, timer = 0, savedAt = 0;

  // Copies that this browser cannot play are not offered.
  data.choices.forEach((choice, number) => { if (!canPlay(choice)) copies.options[number].hidden = copies.options[number].disabled = true; });
  const usable = data.choices.filter(canPlay);
  if (!usable.length) {
    root.hidden = true;
    if (here) here.remove();
    return;
  }

  const { mine } = window, { clock } = mine;
  const positionOf = (choice) => mine.readPosition(data.key, choice.part);
  const say = (sentence) => { statusLine.textContent = sentence; };
  // A text in the viewer's language, with its {placeholders} filled in.
  const text = (name, values = {}) => texts[`text${name}`].replace(/\{(\w+)\}/g, (_, key) => values[key]);
  const chosen = () => data.choices[copies.value];
  const select = (choice) => { copies.value = String(data.choices.indexOf(choice)); show(); };
  const nextAfter = (choice) => usable.find((other) => other.part === choice.part && other !== choice && !failed.has(other));

  const show = () => {
    const choice = chosen(), position = positionOf(choice);
    const from = position && !playing ? "Continue" : "Play";
    const values = { host: choice.host, time: position ? clock(position.at) : "" };
    part("play-text").textContent = text(playing || failed.size ? "This" : from, values);
    if (here) here.querySelector("span").textContent = text("Top", values);
    part("page-text").textContent = text("Open", { host: new URL(choice.page).host });
    page.href = choice.page;
    button.hidden = choice === playing;
  };

  const save = () => {
    if (!video || !playing || !(video.duration > 0)) return;
    const { currentTime: at, duration } = video;
    savedAt = at;
    if (at > duration * 0.97) {
      mine.removePosition({ imdb_id: data.key, part: playing.part });
      document.dispatchEvent(new CustomEvent("watched", { detail: playing.part }));
    } else if (at >= MIN_SECONDS) mine.writePosition({
      imdb_id: data.key, part: playing.part, at: Math.floor(at), duration: Math.floor(duration), link: playing.id, saved: Date.now(),
    });
  };

  const clear = () => {
    clearTimeout(timer);
    save();
    if (video) { video.removeAttribute("src"); video.load(); }
    screen.replaceChildren();
    playing = video = null;
    restart.hidden = captions.parentElement.hidden = true;
  };

  // A copy that fails is reported, which has the server check it; the next best one is offered, not started. Offline, no
  // copy is to blame.
  const fail = (choice, why) => {
    if (playing !== choice) return;
    clear();
    screen.hidden = true;
    if (navigator.onLine) { offerNext(choice, why); report(choice); } else { say(text("Offline")); show(); }
    // What had the focus has gone.
    const focused = document.activeElement;
    if (focused === document.body || !focused.checkVisibility()) button.focus();
  };
  const offerNext = (choice, why) => {
    failed.add(choice);
    copies.options[data.choices.indexOf(choice)].text = text("Failed", choice);
    const next = nextAfter(choice);
    say(`${text(why, { ...choice, seconds: START_SECONDS })} ${next ? text("Next", next) : text("None")}`);
    if (next) select(next); else show();
  };
  const report = (choice) => {
    const token = document.querySelector("[name=csrfmiddlewaretoken]");
    if (!token || !window.htmx) return;
    const values = { csrfmiddlewaretoken: token.value, link: choice.id, kind: "playback" };
    window.htmx.ajax("POST", root.dataset.report, { source: root, target: "#report-answer", swap: "innerHTML", values });
  };

  // Captions: shown in the language chosen last, or if the film speaks another language than the browser.
  const addCaptions = (choice) => {
    captions.replaceChildren(new Option(text("Off"), ""));
    const own = navigator.language.split("-")[0];
    const wanted = mine.stored("captions") ?? (choice.language && choice.language !== own ? own : "");
    choice.captions.forEach(({ label }, number) => captions.append(new Option(label, String(number))));
    const shown = choice.captions.findIndex(({ language }) => wanted && language.split("-")[0] === wanted);
    captions.value = shown < 0 ? "" : String(shown);
    captions.parentElement.hidden = !choice.captions.length;
    showCaptions();
  };
  // One track at a time: of several, Chromium shows those that it likes, all at once.
  const showCaptions = () => {
    const current = video, chosenOne = playing.captions[captions.value];
    current.replaceChildren();
    if (!chosenOne) return;
    const { src, language, label } = chosenOne;
    const track = Object.assign(document.createElement("track"), { kind: "captions", src, srclang: language, label, default: true });
    track.addEventListener("error", async () => {
      const response = await fetch(src).catch(() => null);
      if (video === current) say(response && !response.ok ? await response.text() : text("Captions"));
    });
    current.append(track);
    track.track.mode = "showing";
  };

  const playVideo = (choice) => {
    const current = video = document.createElement("video"), position = positionOf(choice);
    const giveUpAfter = (seconds, why) => { clearTimeout(timer); timer = setTimeout(() => fail(choice, why), seconds * 1000); };
    Object.assign(video, { controls: true, playsInline: true, autoplay: true, src: choice.url });
    video.setAttribute("aria-label", `${document.querySelector("h1").textContent}, ${choice.label}`);
    addCaptions(choice);
    video.addEventListener("loadedmetadata", () => {
      clearTimeout(timer);
      if (!position || position.at >= current.duration - MIN_SECONDS) return;
      current.currentTime = position.at;
      restart.hidden = false;
      say(text("Continues", { time: clock(position.at) }));
    });
    // Chromium waits before the first data, too; that is the start's time.
    video.addEventListener("waiting", () => { if (current.readyState) giveUpAfter(STALL_SECONDS, "Stopped"); });
    video.addEventListener("timeupdate", () => {
      clearTimeout(timer);
      if (Math.abs(current.currentTime - savedAt) >= SAVE_SECONDS) save();
    });
    video.addEventListener("pause", () => { clearTimeout(timer); save(); });
    video.addEventListener("error", () => fail(choice, "Error"));
    giveUpAfter(START_SECONDS, "Slow");
    screen.append(video);
    video.play().catch(() => { /* "error" follows, or the browser waits for a click on its own controls */ });
  };
  const playFrame = (choice) => {
    const frame = document.createElement("iframe");
    frame.setAttribute("sandbox", "allow-scripts allow-same-origin allow-presentation");
    Object.assign(frame, {
      src: choice.url, title: text("Frame", choice), allow: "fullscreen; autoplay; encrypted-media; picture-in-picture",
      referrerPolicy: "strict-origin-when-cross-origin",
    });
    screen.append(frame);
    say(text("Framed", choice));
  };
  const play = () => {
    const choice = chosen();
    clear();
    say("");
    playing = choice;
    savedAt = 0;
    screen.hidden = false;
    // What is watched is what a visitor would report.
    const reported = document.querySelector("#report [name=link]");
    if (reported) reported.value = String(choice.id);
    if (choice.type) playVideo(choice); else playFrame(choice);
    show();
    (video || screen.firstElementChild).focus();
  };

  const playInSight = () => {
    if (chosen() !== playing) play();
    screen.scrollIntoView({ block: "center" });
  };

  // That its report was refused concerns nobody: the viewer has reported nothing.
  for (const name of ["responseError", "sendError"]) root.addEventListener(`htmx:${name}`, (event) => event.stopPropagation());
  mine.onChange(show);
  button.addEventListener("click", play);
  if (here) here.addEventListener("click", playInSight);
  copies.addEventListener("change", show);
  captions.addEventListener("change", () => {
    const track = playing.captions[captions.value];
    mine.store("captions", track ? track.language.split("-")[0] : "");
    showCaptions();
  });
  restart.addEventListener("click", () => { video.currentTime = 0; restart.hidden = true; video.focus(); });
  addEventListener("pagehide", save);
  // The row of a copy has a button that starts it, if this browser can play one of its links, whose ids it names.
  const choiceOf = (button) => usable.find((one) => button.dataset.playLinks.split(" ").includes(String(one.id)));
  const showButtons = () => document.querySelectorAll("[data-play-links]").forEach((button) => { button.hidden = !choiceOf(button); });
  showButtons();
  document.addEventListener("htmx:afterSettle", showButtons);
  document.addEventListener("click", (event) => {
    const wanted = event.target.closest("[data-play-links]");
    const choice = wanted && choiceOf(wanted);
    if (!choice) return;
    event.preventDefault();
    select(choice);
    playInSight();
  });
  // First the copy that was watched last, else the best one.
  const saved = (choice) => { const known = positionOf(choice); return known && known.link === choice.id ? known.saved : 0; };
  select(usable.reduce((best, choice) => (saved(choice) > saved(best) ? choice : best)));
})();
