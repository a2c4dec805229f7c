// The side panel with one document. On wide windows it stands beside the text, on
// narrow ones it covers it.

import { get, post } from "./api.js";
import { byId, h, button, note } from "./dom.js";
import { render } from "./markdown.js";

let opener = null; // where the focus goes back to
let wanted = 0; // the newest request counts

export function start() {
  const panel = byId("panel");
  byId("panel-close").addEventListener("click", () => panel.close());
  panel.addEventListener("close", () => opener?.isConnected && opener.focus());
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && panel.open && !byId("key-dialog").open) {
      event.preventDefault();
      panel.close();
    }
  });
}

export const openDocument = (id, title) => open(title, () => get(`/documents/${encodeURIComponent(id)}`));

// openOperation finds the document of an operation by its endpoint, "GET /orders".
export const openOperation = ({ endpoint, api }) => open(endpoint, async () => {
  const leaves = [{ field: "endpoint", operator: "eq", value: endpoint }];
  if (api) {
    leaves.push({ field: "api_title", operator: "eq", value: api });
  }
  const filter = leaves.length > 1 ? { operator: "and", filters: leaves } : leaves[0];
  const found = await post("/search", { query: endpoint, n_results: 1, filter });
  if (found.results.length === 0) {
    throw new Error("There is no document of this operation.");
  }
  return found.results[0];
});

async function open(title, fetch) {
  const panel = byId("panel");
  const mine = ++wanted;
  if (!panel.open) {
    opener = document.activeElement;
    matchMedia("(max-width: 60rem)").matches ? panel.showModal() : panel.show();
  }
  byId("panel-title").textContent = title || "Document";
  byId("panel-body").replaceChildren(h("p", {}, "Loading …"));
  byId("panel-title").focus();
  const body = await fetch().then(content, (error) => [note(error.message, "bad")]);
  if (mine === wanted) {
    byId("panel-body").replaceChildren(...body);
    panel.scrollTop = 0;
  }
}

// prose may be Markdown; in other kinds of document each line stands for itself.
const prose = new Set(["section", "page"]);

function content(document) {
  const meta = document.metadata ?? {};
  const endpoint = meta.content_type === "endpoint" && meta.endpoint;
  return [
    endpoint ? h("p", { class: "row" }, toView("code", endpoint, "Generate code"), toView("diagrams", endpoint, "Draw the call")) : "",
    h("div", { class: "text" }, prose.has(meta.content_type) ? render(document.content) : h("p", { class: "lines" }, document.content)),
    h("details", {}, h("summary", {}, "Metadata"),
      h("dl", {}, Object.entries(meta).flatMap(([key, value]) => [h("dt", {}, key), h("dd", {}, Array.isArray(value) ? value.join(", ") : String(value))]))),
  ];
}

// toView goes to another view with the operation filled in.
const toView = (view, endpoint, text) => button(text, () => {
  opener = null;
  byId("panel").close();
  byId(view).querySelector("[name=operation]").value = endpoint;
  location.hash = `#/${view}`;
});
