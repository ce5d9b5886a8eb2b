// Link on a page of its own, which goes on to the app's at the end.

import { Session } from "./session.js";

const show = (name, view) => {
  session.showEnding(document.getElementById(name).innerHTML, view);
};
const end = (finished, name) => {
  if (finished?.completion_redirect_uri) location.href = finished.completion_redirect_uri;
  else show(name, "ENDED");
};

const session = new Session({
  prefersDark: matchMedia("(prefers-color-scheme: dark)").matches,
  event: () => {},
  success: (publicToken, metadata, finished) => end(finished, "ended"),
  exit: (error, metadata, finished) => {
    if (error && !finished) show("over", "ERROR");
    else end(finished, "left");
  },
  leave: (url) => location.assign(url),
});

session.start({ hosted_id: location.pathname.split("/lp").pop() });
