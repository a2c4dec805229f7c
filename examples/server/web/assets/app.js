// Starts the page: views by the fragment of the address, and the keys of the keyboard.

import { byId } from "./dom.js";
import * as key from "./key.js";
import * as panel from "./panel.js";
import * as chat from "./chat.js";
import * as search from "./search.js";
import * as sources from "./sources.js";
import * as code from "./code.js";
import * as diagrams from "./diagrams.js";
import * as gaps from "./gaps.js";

const views = { chat, search, sources, code, diagrams, gaps };

// show opens the view that the address names. A view that is gone to gets the
// focus; at the start it stays where the browser put it.
function show(first) {
  const name = location.hash.slice(2);
  const shown = Object.hasOwn(views, name) ? name : "chat";
  for (const view of Object.keys(views)) {
    byId(view).hidden = view !== shown;
    const link = document.querySelector(`nav a[href="#/${view}"]`);
    view === shown ? link.setAttribute("aria-current", "page") : link.removeAttribute("aria-current");
  }
  const title = byId(`${shown}-title`);
  document.title = `${title.textContent} · API assistant`;
  if (!first) {
    title.focus();
  }
  views[shown].enter?.();
}

document.addEventListener("keydown", (event) => {
  const typing = event.target.closest?.("input, textarea, select, dialog");
  if (event.key === "/" && !typing && !event.ctrlKey && !event.metaKey && !event.altKey) {
    event.preventDefault();
    if (location.hash === "#/search") {
      byId("query").focus();
    } else {
      location.hash = "#/search";
    }
  }
});
document.querySelector(".skip").addEventListener("click", (event) => {
  event.preventDefault(); // the fragment names the view
  byId("main").focus();
});

key.start();
panel.start();
Object.values(views).forEach((view) => view.start());
addEventListener("hashchange", () => show(false));
show(true);
