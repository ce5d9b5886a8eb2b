// The sandbox's page of a bank: whoever signs in may share accounts, or not.

import { ask } from "./session.js";

const oauth_state_id = new URLSearchParams(location.search).get("oauth_state_id") ?? "";
const card = document.getElementById("link");

function show(html, view) {
  card.innerHTML = html;
  card.dataset.view = view;
  setBusy(false);
  const heading = card.querySelector("h1");
  document.title = heading.textContent.trim();
  heading.focus();
}

function setBusy(busy) {
  card.dataset.busy = String(busy);
  card.setAttribute("aria-busy", String(busy));
}

function showOver() {
  show(document.getElementById("over").innerHTML, "OVER");
}

async function answer(path, fields) {
  setBusy(true);
  try {
    const { redirect_uri } = await ask(`oauth/${path}`, { oauth_state_id, ...fields });
    if (redirect_uri) {
      location.assign(redirect_uri);
      return;
    }
    show(document.getElementById("left").innerHTML, "LEFT");
    window.close();
  } catch {
    showOver();
  }
}

card.addEventListener("submit", (event) => {
  event.preventDefault();
  if (event.target.dataset.step === "sign-in") {
    show(document.getElementById("choose").innerHTML, "CHOOSE");
  } else {
    answer("approve", { accounts: new FormData(event.target).getAll("accounts") });
  }
});
card.addEventListener("click", (event) => {
  if (event.target.closest("[data-action=deny]")) answer("deny", {});
});

try {
  const page = await ask("oauth", { oauth_state_id, html: true });
  document.documentElement.lang = page.language;
  const parts = document.createElement("template");
  parts.innerHTML = page.html;
  document.body.append(...parts.content.querySelectorAll("template"));
  show(document.getElementById("sign-in").innerHTML, "SIGN_IN");
} catch {
  showOver();
}
