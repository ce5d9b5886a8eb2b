// Link for the browser, as part of an app's page. A copy belongs to the Treadle that served it.
(() => {
  "use strict";
  const SERVER = "__SERVER__";
  const CDN = "https://cdn.plaid.com/link/v2/stable/link-initialize.js";
  const CDN_ORIGIN = new URL(CDN).origin;
  const PATH = "/link/v2/stable/link-initialize.js";
  const FRAME_ID = "plaid-link-iframe-";
  const NOWHERE = { institution: null, status: null, link_session_id: "", request_id: "" };
  const EVENT_KEYS = [
    "account_number_mask", "error_type", "error_code", "error_message", "exit_status",
    "institution_id", "institution_name", "institution_search_query", "is_update_mode",
    "match_reason", "mfa_type", "routing_number", "view_name", "selection",
  ];
  // A frame that does not answer is not waited for any longer when it is told to leave.
  const PATIENCE_MS = 3000;

  if (window.Plaid?.treadle) return;

  // Frameworks take script elements away again, so this one is looked at now and never later.
  const script = document.currentScript;
  const source = new URL(script?.src || CDN);
  // A test may have answered the CDN's address with this file, or a bundle may hold it; then only
  // the file knows its server. Else the server is where the script is, be it behind a prefix.
  const isServed = source.origin !== CDN_ORIGIN && source.pathname.endsWith(PATH);
  const base = isServed ? source.origin + source.pathname.slice(0, -PATH.length) : SERVER;
  const origin = new URL(base).origin;
  const asked = source.searchParams;
  const options = {
    auto: asked.get("auto"),
    eventDelivery: asked.get("event_delivery") ?? "end",
    oauthMode: asked.get("oauth_mode") ?? "auto",
  };

  const call = (callback, ...given) => {
    if (typeof callback === "function") callback(...given);
  };
  const warn = (text) => console.warn(`Plaid Link: ${text}`);

  const setStyle = (element, rules) => {
    for (const [name, value] of Object.entries(rules)) element.style.setProperty(name, value);
  };

  function whenBodyIsThere(then) {
    if (document.body) then();
    else addEventListener("DOMContentLoaded", then, { once: true });
  }

  function freeId() {
    let number = 1;
    while (document.getElementById(FRAME_ID + number)) number += 1;
    return FRAME_ID + number;
  }

  // A dialog with the frame in it. Shown as a modal one it lies over everything, makes the rest of
  // the page inert, and gives the focus back when it closes. `hear` takes the frame's messages.
  function mountFrame(config, element, hear) {
    const dialog = document.createElement("dialog");
    const iframe = document.createElement("iframe");
    let port = null;
    let overflow = null;

    dialog.setAttribute("aria-label", "Link");
    setStyle(dialog, { margin: 0, padding: 0, border: 0, background: "transparent" });
    iframe.id = freeId();
    iframe.title = "Plaid Link";
    iframe.src = `${base}/link/v2/stable/link.html`;
    // With another color scheme than its document's, browsers paint a frame opaque.
    setStyle(iframe, {
      display: "block", width: "100%", height: "100%", border: 0, "color-scheme": "light",
    });
    dialog.append(iframe);
    if (element) showInline();
    // The page must not be closed over by a second Escape, which no handler may refuse.
    dialog.addEventListener("close", () => overflow !== null && dialog.showModal());
    dialog.addEventListener("cancel", (event) => {
      event.preventDefault();
      post({ t: "exit", force: false });
    });
    addEventListener("message", greet);
    whenBodyIsThere(() => (element ?? document.body).append(dialog));

    function greet(event) {
      if (event.source !== iframe.contentWindow || event.origin !== origin) return;
      if (event.data?.t !== "hello" || port) return;
      const channel = new MessageChannel();
      port = channel.port1;
      port.onmessage = ({ data }) => hear(data);
      const init = {
        v: 1,
        t: "init",
        token: config.token ?? null,
        receivedRedirectUri: config.receivedRedirectUri ?? null,
        embedded: Boolean(element),
        dark: matchMedia("(prefers-color-scheme: dark)").matches,
        ...options,
      };
      iframe.contentWindow.postMessage(init, origin, [channel.port2]);
    }

    function post(message) {
      port?.postMessage(message);
    }

    function showInline() {
      setStyle(dialog, { position: "static", width: "100%", height: "100%", "min-height": "26rem" });
      dialog.setAttribute("open", "");
    }

    function showOver() {
      if (overflow !== null) return;
      dialog.removeAttribute("open");
      setStyle(dialog, {
        position: "fixed", inset: 0, width: "100%", height: "100%",
        "max-width": "none", "max-height": "none",
      });
      overflow = document.documentElement.style.overflow;
      document.documentElement.style.overflow = "hidden";
      dialog.showModal();
      iframe.focus();
    }

    function hide() {
      if (overflow === null) return;
      document.documentElement.style.overflow = overflow;
      overflow = null;
      dialog.close();
    }

    function remove() {
      hide();
      removeEventListener("message", greet);
      port?.close();
      dialog.remove();
    }

    return { post, showOver, hide, remove };
  }

  // One Link of a page: at rest, open, or gone. `element` is where a list of banks stands inline.
  function makeLink(config, element) {
    let frame = null;
    let loaded = false;
    let told = false;
    let isOpen = false;
    let isGone = false;
    let patience = 0;

    function mount() {
      loaded = false;
      frame = mountFrame(config, element, hear);
    }

    function unmount() {
      clearTimeout(patience);
      frame?.remove();
      frame = null;
      isOpen = false;
    }

    // All is put away before the callback, which may well destroy this Link and make another.
    function finish(callback, ...given) {
      unmount();
      if (element && callback === config.onExit && !isGone) mount();
      call(callback, ...given);
    }

    function hear(message) {
      switch (message.t) {
        case "load":
          loaded = true;
          if (!told) {
            told = true;
            call(config.onLoad);
          }
          if (isOpen) begin();
          break;
        case "over":
          isOpen = true;
          frame?.showOver();
          break;
        case "event":
          call(config.onEvent, message.name, message.metadata);
          break;
        case "leave":
          location.assign(message.url);
          break;
        case "success":
          finish(config.onSuccess, message.publicToken, message.metadata);
          break;
        case "exit":
          finish(config.onExit, message.error, message.metadata);
          break;
      }
    }

    function begin() {
      frame.post({ t: "open" });
      frame.showOver();
    }

    function open() {
      if (isGone) return warn("open() was called after destroy()");
      if (isOpen) return undefined;
      isOpen = true;
      if (config.key && !config.token) {
        queueMicrotask(() => finish(config.onExit, publicKeyRefused(), { ...NOWHERE }));
        return undefined;
      }
      if (!frame) mount();
      if (loaded) begin();
      return undefined;
    }

    function exit(how) {
      const force = how === true || how?.force === true;
      if (!isOpen) return warn("exit() was called while Link is not open");
      if (!loaded) return finish(config.onExit, null, { ...NOWHERE });
      frame.post({ t: "exit", force });
      if (force) {
        frame.hide();
        patience = setTimeout(() => finish(config.onExit, null, { ...NOWHERE }), PATIENCE_MS);
      }
      return undefined;
    }

    // The fields are those of a returning user, whom this Link knows in no other way than by asking.
    function submit() {
      const metadata = Object.fromEntries(EVENT_KEYS.map((key) => [key, null]));
      const timestamp = new Date().toISOString();
      const told = { ...metadata, link_session_id: "", request_id: "", timestamp };
      call(config.onEvent, "LAYER_NOT_AVAILABLE", told);
    }

    function destroy() {
      isGone = true;
      unmount();
    }

    mount();
    return { open, exit, submit, destroy };
  }

  function publicKeyRefused() {
    return {
      error_type: "INVALID_INPUT",
      error_code: "PUBLIC_KEY_NOT_ENABLED",
      error_message: "public keys are not supported; create a link token",
      display_message: null,
    };
  }

  let plaid = {
    create: (config) => makeLink(config ?? {}, null),
    createEmbedded: (config, element) => ({ destroy: makeLink(config ?? {}, element).destroy }),
    version: "__VERSION__",
    treadle: true,
  };

  // A page that still has the CDN's tag somewhere would otherwise go back to the original.
  Object.defineProperty(window, "Plaid", {
    configurable: true,
    enumerable: true,
    get: () => plaid,
    set: (other) => {
      if (document.currentScript?.src.startsWith(CDN_ORIGIN)) {
        warn(`the script of ${CDN} is not used, for Treadle's was loaded before it`);
      } else plaid = other;
    },
  });

  // React components take the original for loaded when they find its tag. This one loads nothing.
  if (!document.querySelector(`script[src="${CDN}"]`)) {
    const marker = document.createElement("script");
    marker.type = "text/plain";
    marker.src = CDN;
    (document.head ?? document.documentElement).append(marker);
  }

  // For loaders that always add a tag of their own: have it load this file, which does nothing then.
  if (script?.hasAttribute("data-rewrite-cdn")) {
    const ours = (url) => (String(url) === CDN ? source.href : url);
    const prototype = HTMLScriptElement.prototype;
    const src = Object.getOwnPropertyDescriptor(prototype, "src");
    Object.defineProperty(prototype, "src", {
      ...src,
      set(url) {
        src.set.call(this, ours(url));
      },
    });
    prototype.setAttribute = function setAttribute(name, value) {
      const isSource = String(name).toLowerCase() === "src";
      Element.prototype.setAttribute.call(this, name, isSource ? ours(value) : value);
    };
  }
})();
