// A session of Link as a page has it: asks the server for what is to be shown, shows it, and takes
// what the user does. The server decides everything; here nothing of the flow is known.

// The server's root, which may lie behind a prefix.
const ROOT = new URL("../../../", import.meta.url);
const POLL_MS = 600;
const SEARCH_MS = 120;

function addressOf(path) {
  return new URL(path.replace(/^\//, ""), ROOT).href;
}

class Refused extends Error {
  constructor(answer) {
    super(answer.error_message);
    this.answer = answer;
  }
}

/** Raises Refused when the server says no, and TypeError when it cannot be reached. */
export async function ask(path, fields) {
  const response = await fetch(addressOf(`_link/${path}`), {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(fields),
    credentials: "omit",
    referrerPolicy: "no-referrer",
  });
  const answer = await response.json();
  if (response.ok) return answer;
  if (response.status >= 500 || response.status === 429) throw new TypeError(answer.error_code);
  throw new Refused(answer);
}

/** An error as `onExit` is given it. */
function errorOf({ error_type, error_code, error_message, display_message }) {
  return { error_type, error_code, error_message, display_message: display_message ?? null };
}

export class Session {
  #host;
  #delivery;
  #key = null;
  #seen = new Set();
  #turn = null;
  #queue = Promise.resolve();
  #card = document.getElementById("link");
  #status = document.getElementById("status");
  #bank = null;
  #polling = 0;
  #searching = 0;
  #acting = false;
  #takesFocus = true;

  /**
   * `host` is told what happens: `event(name, metadata)`, `success`, `exit`, `leave(url)`, and
   * `chosen()` when an institution is chosen.
   */
  constructor(host, { eventDelivery = "end", takesFocus = true } = {}) {
    this.#host = host;
    this.#delivery = eventDelivery;
    this.#takesFocus = takesFocus;
    this.#listen();
  }

  get started() {
    return this.#key !== null;
  }

  /** Opens Link; `fields` name the link token, as `StartRequest` has them. */
  start(fields) {
    return this.#inTurn(async () => {
      const started = await this.#ask("start", fields);
      this.#key = started.session_key;
      document.documentElement.lang = started.about.language;
      this.#colour(started.about.appearance_mode);
      await this.#take(started);
    }, () => this.start(fields));
  }

  act(action, inputs = {}) {
    return this.#inTurn(async () => {
      const turn = await this.#ask("act", { session_key: this.#key, action, inputs });
      if (action === "select_institution") this.#host.chosen?.();
      await this.#take(turn, action);
    });
  }

  async #poll() {
    await this.#take(await this.#ask("poll", { session_key: this.#key }));
  }

  #ask(path, fields) {
    return ask(path, { html: true, live_events: this.#delivery === "realtime", ...fields });
  }

  /** One after the other: what the user does next is decided on what the last answer left. */
  #inTurn(work, again = () => this.#inTurn(() => this.#poll())) {
    // From now on, and not from when its turn comes.
    this.#setBusy(true);
    this.#queue = this.#queue.then(async () => {
      this.#setBusy(true);
      try {
        await work();
      } catch (problem) {
        await this.#recover(problem, again);
      }
      this.#setBusy(false);
    });
    return this.#queue;
  }

  async #recover(problem, again) {
    if (problem instanceof Refused) {
      const { answer } = problem;
      const behind = ["LINK_ACTION_NOT_OFFERED", "INVALID_FIELD"].includes(answer.error_code);
      if (this.started && behind) return this.#poll();
      return this.#fail(answer);
    }
    return this.#showUnreachable(again);
  }

  #fail(answer) {
    clearTimeout(this.#polling);
    this.#host.exit(errorOf(answer), {
      institution: null,
      status: null,
      link_session_id: this.#turn?.link_session_id ?? "",
      request_id: answer.request_id ?? "",
    });
  }

  async #take(turn, action = null) {
    const before = this.#turn;
    this.#turn = turn;
    this.#tell(turn.events);
    if (turn.finished) {
      this.#finish(turn.finished);
      return;
    }
    const changed = JSON.stringify(turn.pane) !== JSON.stringify(before?.pane);
    if (changed || !before) this.#show(turn, before);
    this.#goToBank(turn.pane, action);
  }

  #tell(events) {
    const fresh = events.filter((one) => !this.#seen.has(one.event_id));
    for (const one of fresh) this.#seen.add(one.event_id);
    if (this.#delivery === "shuffled") shuffle(fresh);
    for (const one of fresh) this.#host.event(one.event_name, one.metadata);
  }

  #finish(finished) {
    clearTimeout(this.#polling);
    this.#bank?.close();
    if (finished.callback === "success") {
      this.#host.success(finished.public_token, finished.metadata, finished);
    } else {
      this.#host.exit(finished.error, finished.metadata, finished);
    }
  }

  // --- What is shown ---

  #show(turn, before) {
    const fresh = document.createElement("template");
    fresh.innerHTML = turn.html;
    const parts = fresh.content.querySelectorAll("[data-part]");
    const sameView = turn.pane.view === before?.pane?.view && parts.length > 0;
    if (sameView) {
      // Of a list that is searched only the results change, under the hands that type.
      for (const part of parts) {
        this.#card.querySelector(`[data-part="${part.dataset.part}"]`).replaceWith(part);
      }
    } else {
      this.#card.replaceChildren(fresh.content);
    }
    this.#card.dataset.view = turn.pane.view;
    this.#announce(this.#card.querySelector("[data-announce]")?.dataset.announce ?? "");
    if (!sameView) this.#settle();
  }

  showEnding(html, view) {
    this.#card.innerHTML = html;
    this.#card.dataset.view = view;
    this.#settle();
  }

  #settle() {
    const heading = this.#card.querySelector("h1");
    document.title = heading.textContent.trim();
    this.#card.querySelector(".pane")?.scrollTo(0, 0);
    const link = this.#card.querySelector("a[href]");
    link?.setAttribute("href", addressOf(link.getAttribute("href")));
    if (this.#takesFocus) (this.#card.querySelector("[aria-invalid=true]") ?? heading).focus();
    this.#takesFocus = true;
  }

  #showUnreachable(again) {
    const template = document.getElementById("unreachable");
    this.#card.querySelector("[data-unreachable]")?.remove();
    const notice = template.content.firstElementChild.cloneNode(true);
    notice.querySelector("button").addEventListener("click", () => {
      notice.remove();
      again();
    });
    this.#card.prepend(notice);
    notice.querySelector("button").focus();
  }

  #setBusy(busy) {
    this.#card.dataset.busy = String(busy);
    this.#card.setAttribute("aria-busy", String(busy));
    if (busy) this.#announce(this.#status.dataset.loading);
    else if (this.#status.textContent === this.#status.dataset.loading) this.#announce("");
  }

  #announce(text) {
    this.#status.textContent = text;
  }

  #colour(mode) {
    const dark = mode === "DARK" || (mode !== "LIGHT" && this.#host.prefersDark);
    document.body.dataset.theme = dark ? "dark" : "light";
  }

  // --- What the user does ---

  #listen() {
    this.#card.addEventListener("submit", (event) => {
      event.preventDefault();
      const form = event.target;
      const action = event.submitter?.dataset.action ?? form.dataset.action;
      this.#do(action, inputsOf(action, new FormData(form, event.submitter)));
    });
    this.#card.addEventListener("click", (event) => {
      const button = event.target.closest("button[type=button][data-action]");
      if (button) this.#do(button.dataset.action, JSON.parse(button.dataset.inputs ?? "{}"));
    });
    this.#card.addEventListener("input", (event) => {
      const form = event.target.form;
      if (form?.dataset.action !== "search") return;
      clearTimeout(this.#searching);
      this.#setBusy(true);
      this.#searching = setTimeout(
        () => this.act("search", inputsOf("search", new FormData(form))),
        SEARCH_MS,
      );
    });
    document.addEventListener("keydown", (event) => {
      if (event.key === "Escape" && this.started) this.#do("exit", {});
    });
  }

  async #do(action, inputs) {
    // A second click while the first is on its way means the same thing.
    if (this.#acting) return;
    clearTimeout(this.#searching);
    this.#acting = true;
    await this.act(action, inputs);
    this.#acting = false;
  }

  // --- A bank's own page ---

  #goToBank(pane, action) {
    clearTimeout(this.#polling);
    if (pane.view !== "OAUTH" || pane.url === null) {
      this.#bank?.close();
      this.#bank = null;
      return;
    }
    if (action === "open_oauth") {
      if (pane.redirects) {
        this.#host.leave(addressOf(pane.url));
        return;
      }
      // Some browsers, and pages with a policy about openers, give no window to hold on to.
      this.#bank = window.open(addressOf(pane.url), "_blank");
    }
    if (pane.redirects) return;
    const closed = Boolean(this.#bank?.closed);
    this.#polling = setTimeout(() => this.#look(closed), POLL_MS);
  }

  #look(closed) {
    this.#queue = this.#queue.then(async () => {
      if (this.#turn.pane?.view !== "OAUTH" || this.#turn.finished) return;
      try {
        // Closed already before the last look: so nothing will come of it any more.
        if (closed) await this.#take(await this.#ask("act", this.#closing()), "close_oauth");
        else await this.#poll();
      } catch (problem) {
        await this.#recover(problem, () => this.#look(false));
      }
    });
  }

  #closing() {
    return { session_key: this.#key, action: "close_oauth", inputs: {} };
  }
}

function inputsOf(action, data) {
  if (action === "submit") return { values: Object.fromEntries(data) };
  if (action === "select_accounts") return { accounts: data.getAll("accounts") };
  return Object.fromEntries(data);
}

function shuffle(list) {
  for (let end = list.length - 1; end > 0; end -= 1) {
    const place = Math.floor(Math.random() * (end + 1));
    [list[end], list[place]] = [list[place], list[end]];
  }
}
