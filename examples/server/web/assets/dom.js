// Builds DOM nodes from names, attributes and text. Nothing here, or anywhere in
// the page, turns a string into markup.

export const byId = (id) => document.getElementById(id);

// h makes an element. An attribute whose value is a function is a listener, true
// is an empty attribute, and false, null or undefined is none. Children are nodes
// or texts; null and false are passed over.
export function h(name, attributes = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (typeof value === "function") {
      element.addEventListener(key, value);
    } else if (value !== false && value !== null && value !== undefined) {
      element.setAttribute(key, value === true ? "" : value);
    }
  }
  for (const child of children.flat()) {
    if (child !== null && child !== undefined && child !== false) {
      element.append(child);
    }
  }
  return element;
}

export const button = (text, click, attributes = {}) => h("button", { type: "button", click, ...attributes }, text);

// announce tells users of screen readers what happened.
export function announce(text) {
  byId("announcer").textContent = text;
}

// note is a message in the page; bad ones are announced at once.
export const note = (text, kind = "info") => h("p", { class: `note ${kind}`, role: kind === "bad" ? "alert" : null }, text);

export function copyButton(text) {
  const b = button("Copy", async () => {
    b.textContent = (await copy(text)) ? "Copied" : "Copying failed";
    announce(b.textContent);
    setTimeout(() => (b.textContent = "Copy"), 2000);
  }, { class: "copy" });
  return b;
}

async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return copySelected(text); // without HTTPS there is no clipboard interface
  }
}

function copySelected(text) {
  const area = h("textarea", { class: "unseen", "aria-hidden": "true", tabindex: "-1" });
  area.value = text;
  const focused = document.activeElement;
  (focused?.closest("dialog") ?? document.body).append(area);
  area.select();
  const done = document.execCommand("copy");
  area.remove();
  focused?.focus();
  return done;
}

// codeBlock shows source code with a button that copies it.
export function codeBlock(source, language) {
  return h("figure", { class: "code" },
    h("figcaption", {}, h("span", {}, language || "text"), copyButton(source)),
    h("pre", { tabindex: "0", role: "region", "aria-label": `Code, ${language || "text"}` }, h("code", {}, source)));
}

export const plural = (n, one, many = `${one}s`) => `${n} ${n === 1 ? one : many}`;
