// Link in a frame of an app's page, or as the page of an app's web view.

import { Session } from "./session.js";

const asked = new URLSearchParams(location.search);
// Long enough for a page that makes its list of banks anew on every render to have settled.
const EMBEDDED_REST_MS = 200;

/** The page that this frame is part of; what it is told goes through a channel of its own. */
function beInPage() {
  addEventListener("message", function greeted(event) {
    if (event.source !== window.parent || event.data?.t !== "init") return;
    removeEventListener("message", greeted);
    listen(event.data, event.ports[0]);
  });
  window.parent.postMessage({ v: 1, t: "hello" }, "*");
}

function listen(init, port) {
  const host = {
    prefersDark: init.dark,
    event: (name, metadata) => port.postMessage({ t: "event", name, metadata }),
    success: (publicToken, metadata) => port.postMessage({ t: "success", publicToken, metadata }),
    exit: (error, metadata) => port.postMessage({ t: "exit", error, metadata }),
    leave: (url) => port.postMessage({ t: "leave", url }),
    chosen: () => {
      document.body.classList.remove("inline");
      if (init.embedded) port.postMessage({ t: "over" });
    },
  };
  const session = new Session(host, {
    eventDelivery: init.eventDelivery,
    takesFocus: !init.embedded,
  });
  const open = () =>
    session.start({
      link_token: init.token ?? undefined,
      received_redirect_uri: init.receivedRedirectUri ?? undefined,
      redirects: redirects(init.oauthMode),
      embedded: init.embedded,
      auto: init.auto ?? undefined,
    });
  port.onmessage = ({ data }) => {
    if (data.t === "open") open();
    else if (data.t === "exit" && session.started) session.act("exit", { force: data.force });
    else if (data.t === "exit") host.exit(null, nowhere());
  };
  if (init.embedded) {
    document.body.classList.add("inline");
    setTimeout(open, EMBEDDED_REST_MS);
  }
  port.postMessage({ t: "load" });
}

function nowhere() {
  return { institution: null, status: null, link_session_id: "", request_id: "" };
}

/** Whether a bank's page takes the place of the app's; web views can often open no window. */
function redirects(mode) {
  if (mode === "redirect" || mode === "popup") return mode === "redirect";
  return /; wv\)|\bWebView\b/.test(navigator.userAgent);
}

/** An app's web view: it watches where the page wants to go. */
function beInWebView() {
  const go = (place, told) => {
    const known = Object.entries(told).filter(([, value]) => value != null);
    location.href = `plaidlink://${place}?${new URLSearchParams(known)}`;
  };
  const host = {
    prefersDark: matchMedia("(prefers-color-scheme: dark)").matches,
    event: (name, metadata) => go("event", { event_name: name, ...metadata }),
    success: (publicToken, { institution, accounts, ...metadata }) =>
      go("connected", {
        public_token: publicToken,
        institution_id: institution?.institution_id,
        institution_name: institution?.name,
        accounts: JSON.stringify(accounts.map(accountOfWebView)),
        link_session_id: metadata.link_session_id,
        transfer_status: metadata.transfer_status,
      }),
    exit: (error, { institution, ...metadata }) =>
      go("exit", {
        ...metadata,
        institution_id: institution?.institution_id,
        institution_name: institution?.name,
        error_type: error?.error_type,
        error_code: error?.error_code,
        error_message: error?.error_message,
        error_display_message: error?.display_message,
      }),
    leave: (url) => location.assign(url),
  };
  new Session(host).start({
    link_token: asked.get("token") ?? undefined,
    received_redirect_uri: asked.get("receivedRedirectUri") ?? undefined,
    redirects: true,
  });
}

function accountOfWebView({ id, name, mask, type, subtype, verification_status, class_type }) {
  return { _id: id, meta: { name, number: mask }, type, subtype, verification_status, class_type };
}

if (asked.get("isWebview") === "true") beInWebView();
else if (window.parent !== window) beInPage();
