// A Markdown renderer for untrusted text. It makes elements of a fixed list and
// text nodes, never markup from strings; links lead to http and https only;
// images are shown as links, so that a text cannot make the browser fetch one.
// It reads what models write (CommonMark's usual part and tables), not all of
// CommonMark, in time linear in the text.

import { h, codeBlock } from "./dom.js";

const maxDepth = 8; // of lists, quotes and emphasis in each other
const maxLength = 500_000;

// render returns a fragment. options.citation(n) returns the node for "[n]", or
// null where it is plain text.
export function render(text, options = {}) {
  const fragment = document.createDocumentFragment();
  const lines = String(text).slice(0, maxLength).replace(/\r\n?/g, "\n").replace(/\t/g, "    ").split("\n");
  for (const node of blocks(lines, 0, options)) {
    fragment.append(node);
  }
  return fragment;
}

const heading = /^ {0,3}(#{1,6})(?: |$)/;
const rule = /^ {0,3}(?:(?:\*\s*){3,}|(?:-\s*){3,}|(?:_\s*){3,})$/;
const quote = /^ {0,3}>\s?/;
const item = /^( {0,3})([-*+]|\d{1,9}[.)])( +|$)/;
const delimiter = /^[ |:-]+$/; // of the head of a table

function blocks(lines, depth, options) {
  const out = [];
  let at = 0;
  let match;
  while (at < lines.length) {
    const line = lines[at];
    if (line.trim() === "") {
      at++;
    } else if ((match = fence(line))) {
      const end = closing(lines, at + 1, match.mark);
      out.push(codeBlock(lines.slice(at + 1, end).join("\n"), match.language));
      at = end + 1;
    } else if ((match = heading.exec(line))) {
      // The page has h1 and h2; what a text calls a heading is below them.
      out.push(h(`h${Math.min(match[1].length + 2, 6)}`, {}, inline(headingText(line, match[0]), depth, options)));
      at++;
    } else if (rule.test(line)) {
      out.push(h("hr"));
      at++;
    } else if (quote.test(line) && depth < maxDepth) {
      const end = runEnd(lines, at, (l) => quote.test(l));
      out.push(h("blockquote", {}, blocks(lines.slice(at, end).map((l) => l.replace(quote, "")), depth + 1, options)));
      at = end;
    } else if (item.test(line) && depth < maxDepth) {
      const list = listAt(lines, at, depth, options);
      out.push(list.element);
      at = list.end;
    } else if (line.includes("|") && at + 1 < lines.length && isDelimiter(lines[at + 1])) {
      const end = runEnd(lines, at + 2, (l) => l.includes("|"));
      out.push(table(line, lines.slice(at + 2, end), depth, options));
      at = end;
    } else {
      const end = runEnd(lines, at + 1, (l) => !interrupts(l, depth));
      out.push(h("p", {}, inline(lines.slice(at, end).join("\n"), depth, options)));
      at = end;
    }
  }
  return out;
}

const interrupts = (line, depth) => line.trim() === "" || fence(line) !== null || heading.test(line) || rule.test(line) ||
  (depth < maxDepth && (quote.test(line) || item.test(line)));

function runEnd(lines, from, belongs) {
  while (from < lines.length && belongs(lines[from])) {
    from++;
  }
  return from;
}

// fence reads the line that opens a block of code.
function fence(line) {
  const mark = /^ {0,3}(`{3,}|~{3,})/.exec(line);
  const info = mark && line.slice(mark[0].length).trim();
  return mark && !info.includes("`") ? { mark: mark[1], language: info.split(/[\s{,]/, 1)[0].slice(0, 40) } : null;
}

function headingText(line, marks) {
  const text = line.slice(marks.length).trim();
  let end = text.length;
  while (end > 0 && text[end - 1] === "#") {
    end--;
  }
  return end === 0 || text[end - 1] === " " ? text.slice(0, end).trim() : text;
}

const isDelimiter = (line) => line.length < 10_000 && delimiter.test(line) && line.includes("-") && line.includes("|");

// closing finds the line that ends a fence; an open one reaches to the end, as it
// does while an answer is still coming in.
function closing(lines, from, mark) {
  const end = new RegExp(`^ {0,3}\\${mark[0]}{${Math.min(mark.length, 1000)},}\\s*$`);
  return runEnd(lines, from, (l) => !end.test(l));
}

function listAt(lines, at, depth, options) {
  const first = item.exec(lines[at]);
  const ordered = /\d/.test(first[2]);
  const element = h(ordered ? "ol" : "ul", ordered && first[2] !== "1." ? { start: parseInt(first[2], 10) } : {});
  while (at < lines.length) {
    const match = item.exec(lines[at]);
    if (!match || /\d/.test(match[2]) !== ordered || rule.test(lines[at])) {
      break;
    }
    const indent = match[1].length + match[2].length + Math.min(Math.max(match[3].length, 1), 4);
    const body = [lines[at].slice(indent)];
    at++;
    while (at < lines.length && (indented(lines[at], indent) || lazy(lines, at))) {
      body.push(lines[at].slice(Math.min(indent, leading(lines[at]))));
      at++;
    }
    const content = blocks(body, depth + 1, options);
    // The paragraph of a plain item would only add space.
    element.append(h("li", {}, content[0]?.nodeName === "P" ? [...content[0].childNodes, ...content.slice(1)] : content));
    while (at < lines.length && lines[at].trim() === "" && at + 1 < lines.length && item.test(lines[at + 1])) {
      at++;
    }
  }
  return { element, end: at };
}

const leading = (line) => line.length - line.trimStart().length;
const indented = (line, indent) => line.trim() !== "" && leading(line) >= Math.min(indent, 2);
// lazy lines go on with an item: a plain line under it, or an empty one before more of it.
const lazy = (lines, at) => lines[at].trim() === ""
  ? at + 1 < lines.length && leading(lines[at + 1]) >= 2 && lines[at + 1].trim() !== ""
  : lines[at - 1].trim() !== "" && !interrupts(lines[at], 0);

function table(head, rows, depth, options) {
  const cells = (line) => line.trim().replace(/^\||\|$/g, "").split(/(?<!\\)\|/).map((c) => c.trim().replaceAll("\\|", "|"));
  const row = (line, name) => h("tr", {}, cells(line).map((c) => h(name, name === "th" ? { scope: "col" } : {}, inline(c, depth, options))));
  return h("div", { class: "table", tabindex: "0", role: "region", "aria-label": "Table" },
    h("table", {}, h("thead", {}, row(head, "th")), h("tbody", {}, rows.map((r) => row(r, "td")))));
}

const special = /[\\`*_[!<h\n]/g;
const url = /https?:\/\/[^\s<>"'`)\]*]{1,2000}/y;
const angled = /<(https?:\/\/[^\s<>]{1,2000})>/y;
const link = /!?\[([^[\]]{0,500})\]\(\s*<?([^\s()<>]{1,2000}(?:\([^\s()<>]{0,200}\))?)>?(?:\s+"[^"\n]{0,300}")?\s*\)/y;
const reference = /\[(\d{1,3})\]/y;

// inline returns the nodes of a paragraph's text.
function inline(text, depth, options) {
  const out = [];
  const missing = new Set(); // delimiters that nothing closes from here on
  let plain = "";
  let at = 0;
  const push = (node) => {
    if (plain) {
      out.push(plain);
      plain = "";
    }
    out.push(node);
  };
  // between returns what stands between at and the next mark, or null.
  const between = (mark, from) => {
    if (missing.has(mark)) {
      return null;
    }
    const end = text.indexOf(mark, from);
    if (end < 0) {
      missing.add(mark);
      return null;
    }
    return text.slice(from, end);
  };
  const match = (pattern) => {
    pattern.lastIndex = at;
    return pattern.exec(text);
  };
  while (at < text.length) {
    special.lastIndex = at;
    const next = special.exec(text)?.index ?? text.length;
    plain += text.slice(at, next);
    at = next;
    if (at === text.length) {
      break;
    }
    const c = text[at];
    let m;
    let inner;
    if (c === "\\" && /[!-/:-@[-`{-~\n]/.test(text[at + 1] ?? "")) {
      if (text[at + 1] === "\n") {
        push(h("br"));
      } else {
        plain += text[at + 1];
      }
      at += 2;
    } else if (c === "\n") {
      if (plain.endsWith("  ")) {
        plain = plain.trimEnd();
        push(h("br"));
      } else {
        plain += "\n";
      }
      at++;
    } else if (c === "`") {
      const ticks = /`+/y;
      ticks.lastIndex = at;
      const mark = ticks.exec(text)[0];
      inner = between(mark, at + mark.length);
      if (inner === null || inner === "") {
        plain += mark;
        at += mark.length;
      } else {
        push(h("code", {}, codeText(inner)));
        at += inner.length + 2 * mark.length;
      }
    } else if (c === "*" || c === "_") {
      const mark = text[at + 1] === c ? c + c : c;
      inner = depth < maxDepth && opens(text, at, mark) ? between(mark, at + mark.length) : null;
      if (inner && !/^\s|\s$/.test(inner) && closes(text, at + mark.length + inner.length, mark)) {
        push(h(mark.length === 2 ? "strong" : "em", {}, inline(inner, depth + 1, options)));
        at += inner.length + 2 * mark.length;
      } else {
        plain += mark;
        at += mark.length;
      }
    } else if (c === "[" && (m = match(reference)) && text[reference.lastIndex] !== "(") {
      const node = options.citation?.(Number(m[1]));
      node ? push(node) : (plain += m[0]);
      at += m[0].length;
    } else if ((c === "[" || c === "!") && (m = match(link))) {
      push(anchor(m[2], m[1] || m[2]));
      at += m[0].length;
    } else if (c === "<" && (m = match(angled))) {
      push(anchor(m[1], m[1]));
      at += m[0].length;
    } else if (c === "h" && !/\w/.test(text[at - 1] ?? "") && (m = match(url))) {
      const address = withoutPunctuation(m[0]);
      push(anchor(address, address));
      at += address.length;
    } else {
      plain += c;
      at++;
    }
  }
  if (plain) {
    out.push(plain);
  }
  return out;
}

// codeText is what a code span shows: one space on each side only keeps its marks apart.
function codeText(inner) {
  const text = inner.replaceAll("\n", " ");
  return text.startsWith(" ") && text.endsWith(" ") && text.trim() ? text.slice(1, -1) : text;
}

function withoutPunctuation(address) {
  let end = address.length;
  while (".,;:!?".includes(address[end - 1])) {
    end--;
  }
  return address.slice(0, end);
}

// Underscores inside words are no emphasis: order_id, listing_id.
const opens = (text, at, mark) => mark[0] !== "_" || !/\w/.test(text[at - 1] ?? "");
const closes = (text, end, mark) => mark[0] !== "_" || !/\w/.test(text[end + mark.length] ?? "");

// anchor is a link, or plain text where the address is not one of the web.
export function anchor(address, text) {
  let target;
  try {
    target = new URL(address);
  } catch {
    return text; // relative, or none at all
  }
  if (target.protocol !== "http:" && target.protocol !== "https:") {
    return text;
  }
  return h("a", { href: target.href, title: target.href, target: "_blank", rel: "noopener noreferrer nofollow" }, text);
}
