// A page that shows by itself what has changed, and of which the other language keeps what was typed
// into any of its forms. Without this, all of it is there after a reload, and each form has a switch.
// Always holds: nothing typed and no place of the focus is lost; who is at work is told, and asks.
"use strict";
(() => {
  let switching = false;
  document.addEventListener("submit", (event) => {
    switching = Boolean(event.submitter && event.submitter.dataset.langue);
  }, true);
  document.addEventListener("formdata", (event) => { // what was typed into the others goes with it
    if (!switching) return;
    switching = false;
    const others = [...document.querySelectorAll("#corps form")].filter((one) => one !== event.target);
    others.forEach((one, number) => {
      if (!one.querySelector("input:not([type=hidden]), select, textarea")) return;
      for (const [name, value] of new FormData(one)) {
        if (typeof value === "string" && name !== "jeton") event.formData.append(`autre-${number}.${name}`, value);
      }
    });
  }, true);
})();
(() => {
  const main = document.querySelector("main[data-suivre]");
  const told = main && main.querySelector("[role=status]");
  if (!told || !window.EventSource) return;
  const here = new URL(location.href);
  here.searchParams.delete("fait"); // what was done is told once
  const body = document.getElementById("corps");
  let seen = body.innerHTML;
  let touched = false;
  let timer = null;
  const looks = [];
  let sources = [];

  for (const kind of ["input", "toggle"]) {
    body.addEventListener(kind, () => { touched = true; }, true);
  }

  const line = document.createElement("p");
  line.className = "notice";

  function say(words, link) { // beside what the page says was done
    line.textContent = words;
    if (link) {
      const way = document.createElement("a");
      way.href = here;
      way.textContent = link;
      line.append(" ", way);
    }
    told.append(line);
  }

  async function look() {
    timer = null;
    looks.push(Date.now());
    const answer = await fetch(here, { headers: { "Connecte-Suivi": "1" } });
    if (!answer.ok || answer.redirected) return close(); // signed out, or gone
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const fresh = page.getElementById("corps");
    if (!fresh || fresh.innerHTML === seen) return;
    if (touched || body.contains(document.activeElement)) {
      say(main.dataset.autre, main.dataset.voir);
      return;
    }
    seen = fresh.innerHTML;
    body.innerHTML = seen;
    const [nav, counts] = [document.querySelector("nav.nav"), page.querySelector("nav.nav")];
    const [way, itsWay] = [document, page].map((one) => one.getElementById("autre-langue"));
    if (!way.contains(document.activeElement)) way.innerHTML = itsWay.innerHTML;
    if (nav && counts && !nav.contains(document.activeElement)) nav.innerHTML = counts.innerHTML;
    say(main.dataset.fait);
  }

  // At once, three times; then with pauses: where much goes on, nobody asks too often by looking.
  const pause = () => {
    while (looks.length && looks[0] < Date.now() - 9000) looks.shift();
    return looks.length < 3 ? 100 : looks[0] + 9000 - Date.now();
  };
  const soon = () => { timer = timer || setTimeout(() => look().catch(() => {}), pause()); };

  function close() {
    for (const source of sources) source.close();
    sources = [];
  }

  function open() {
    close();
    if (document.hidden) return;
    sources = main.dataset.suivre.split(" ").map((path) => new EventSource(path));
    for (const source of sources) source.onmessage = soon;
  }

  document.addEventListener("visibilitychange", open);
  window.addEventListener("pagehide", close);
  open();
})();
