// Diagrams: drawn in a sandboxed frame where Mermaid is there, and always as text.

import { post } from "./api.js";
import { byId, h, note, codeBlock } from "./dom.js";
import * as code from "./code.js";

const draws = document.documentElement.dataset.mermaid === "true";

export function start() {
  const form = byId("diagram-form");
  form.elements.kind.addEventListener("change", choose);
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const kind = form.elements.kind.value;
    const out = byId("diagram-output");
    out.replaceChildren(...await body(kind, form.elements).then((b) => post(`/diagrams/${kind}`, b))
      .then(drawing, (error) => [note(error.missing ? "This server draws no such diagrams." : error.message, "bad")]));
  });
  choose();
}

function choose() {
  const form = byId("diagram-form");
  for (const field of form.querySelectorAll("[data-for]")) {
    field.hidden = field.dataset.for !== form.elements.kind.value;
  }
}

export async function enter() {
  await Promise.all([code.enter(), code.fillAPIs(byId("diagram-form").elements.api)]);
}

async function body(kind, form) {
  switch (kind) {
    case "sequence":
      return { endpoint_id: form.operation.value.trim() };
    case "auth-flow":
      return { auth_type: form.auth_type.value };
    case "er":
      return { schema_content: form.schema_content.value };
    default: {
      const endpoints = (await code.operations(form.api.value)).map(({ path, method, summary, tags }) => ({ path, method, summary, tags: tags ?? [] }));
      return { api_title: form.api.value || "API", endpoints };
    }
  }
}

function drawing({ title, mermaid_code: source }) {
  const text = h("details", { open: !draws }, h("summary", {}, "As text"), codeBlock(source, "mermaid"));
  return [h("h2", {}, title || "Diagram"), draws ? frame(source, title || "diagram", text) : note("Mermaid is not part of this build; the text can be drawn wherever Mermaid is."), text];
}

// frame draws in a document of its own without origin; the two only exchange messages.
function frame(source, title, text) {
  const element = h("iframe", { src: new URL("frame.html", import.meta.url).href, sandbox: "allow-scripts", title: `Diagram: ${title}`, class: "diagram" });
  const listen = ({ source: from, data }) => {
    if (!element.isConnected) {
      removeEventListener("message", listen);
    } else if (from !== element.contentWindow) {
      return;
    } else if (data.ready) {
      element.contentWindow.postMessage({ source, dark: matchMedia("(prefers-color-scheme: dark)").matches && document.documentElement.dataset.theme !== "light" || document.documentElement.dataset.theme === "dark" }, "*");
    } else if (Number.isFinite(data.height)) {
      element.style.height = `${Math.min(Math.max(data.height, 80), 4000)}px`;
      element.dataset.drawn = "true";
    } else {
      element.replaceWith(note("Mermaid cannot draw this diagram.", "bad"));
      text.open = true;
    }
  };
  addEventListener("message", listen);
  return element;
}
