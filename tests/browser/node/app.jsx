// An app that uses react-plaid-link, in the version that the bundle is made with.

import * as plaid from "react-plaid-link";
import { StrictMode, useState } from "react";
import { createRoot } from "react-dom/client";

window.calls = [];
const hear = (name) => (...given) => calls.push([name, ...given]);
const hearing = {
  onSuccess: hear("success"),
  onExit: hear("exit"),
  onEvent: hear("event"),
  onLoad: hear("load"),
};
const asked = new URLSearchParams(location.search);

function Opener({ token }) {
  const { open, ready, error } = plaid.usePlaidLink({ token, ...hearing });
  window.hook = { open, ready, error: error && String(error) };
  return (
    <button disabled={!ready} onClick={() => open()}>
      Connect a bank
    </button>
  );
}

function App() {
  const [token, setToken] = useState(asked.get("token"));
  const [isThere, setThere] = useState(true);
  Object.assign(window, { setToken, setThere });
  if (!isThere) return <p>Gone</p>;
  if (asked.has("embedded")) return <plaid.PlaidEmbeddedLink token={token} {...hearing} />;
  return <Opener token={token} />;
}

const app = <App />;
createRoot(document.getElementById("root")).render(
  asked.has("strict") ? <StrictMode>{app}</StrictMode> : app,
);
