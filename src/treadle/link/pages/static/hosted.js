// Link on a page of its own, which goes on to the app's at the end.

import { Session } from "./session.js";

const end = (finished) => {
  if (finished?.completion_redirect_uri) location.href = finished.completion_redirect_uri;
  else session.showEnding(document.getElementById("ended").innerHTML, "ENDED");
};

const session = new Session({
  prefersDark: matchMedia("(prefers-color-scheme: dark)").matches,
  event: () => {},
  success: (publicToken, metadata, finished) => end(finished),
  exit: (error, metadata, finished) => {
    if (error && !finished) session.showEnding(document.getElementById("over").innerHTML, "ERROR");
    else end(finished);
  },
  leave: (url) => location.assign(url),
});

session.start({ hosted_id: location.pathname.split("/lp").pop() });
