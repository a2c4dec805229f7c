import test from "node:test";
import assert from "node:assert/strict";
import "./document.js";
import { render } from "../assets/markdown.js";

const shown = (text, options) => String(render(text, options));

const reads = [
  ["plain", "{p:plain}"],
  ["# Title #\ntext", "{h3:Title}{p:text}"],
  ["####### seven", "{p:####### seven}"],
  ["**bold** *it* __b__ _i_", "{p:{strong:bold} {em:it} {strong:b} {em:i}}"],
  ["snake_case_id and 2 * 3 * 4", "{p:snake_case_id and 2 * 3 * 4}"],
  ["**POST `/orders`**", "{p:{strong:POST {code:/orders}}}"],
  ["`a ** b` ``c ` d``", "{p:{code:a ** b} {code:c ` d}}"],
  ["open `code and **bold", "{p:open `code and **bold}"],
  ["a  \nb\\\nc", "{p:a{br:}b{br:}c}"],
  ["\\*not\\*", "{p:*not*}"],
  ["- a\n- b\n  - c\n- d", "{ul:{li:a}{li:b{ul:{li:c}}}{li:d}}"],
  ["1. a\n2. b", "{ol:{li:a}{li:b}}"],
  ["> q\n> r", "{blockquote:{p:q\nr}}"],
  ["---", "{hr:}"],
  ["| a | b |\n|---|:-:|\n| 1 | x \\| y |", "{div:{table:{thead:{tr:{th:a}{th:b}}}{tbody:{tr:{td:1}{td:x | y}}}}}"],
  ["[t](https://e.com/a?b=1)", "{p:{a https://e.com/a?b=1:t}}"],
  ["see https://e.com/x.", "{p:see {a https://e.com/x:https://e.com/x}.}"],
  ["<https://e.com/>", "{p:{a https://e.com/:https://e.com/}}"],
  ["a [1] [9]", "{p:a {cite:1} [9]}"],
  ["`[1]`", "{p:{code:[1]}}"],
];

test("Markdown is read", () => {
  const options = { citation: (n) => {
    if (n !== 1) {
      return null;
    }
    const node = document.createElement("cite");
    node.append("1");
    return node;
  } };
  for (const [text, want] of reads) {
    assert.equal(shown(text, options), want, text);
  }
});

test("a block of code is verbatim", () => {
  for (const text of ["```js\n<b>&amp;</b>\n```\nafter", "~~~ js\n<b>&amp;</b>\n~~~\nafter", "```js\n<b>&amp;</b>"]) {
    const pre = render(text).all.find((n) => n.nodeName === "PRE");
    assert.equal(pre.text, "<b>&amp;</b>", text);
  }
});

const hostile = [
  "<script>alert(1)</script>", "<img src=x onerror=alert(1)>", "<svg/onload=alert(1)>", "<iframe srcdoc='<script>1</script>'></iframe>",
  "[x](javascript:alert(1))", "[x](JaVaScRiPt:alert(1))", "[x](&#106;avascript:alert(1))", "[x](java\tscript:alert(1))", "[x]( javascript:alert(1))",
  "[x](\u0001javascript:alert(1))", "[x](data:text/html;base64,PHNjcmlwdD4=)", "[x](vbscript:msgbox)", "[x](file:///etc/passwd)", "[x](//evil.example)",
  "[x](blob:https://e.com/1)", "![x](javascript:alert(1))", "<javascript:alert(1)>", "[x](/relative)", "[x](\\javascript:alert(1))",
  "[a](https://e.com/\" onmouseover=\"alert(1))", "[a](https://e.com \"title\\\" onclick=x\")", "```\"><script>\nx\n```", "``` onload=x\ny\n```",
  "| <script>alert(1)</script> | b |\n|---|---|\n| <img onerror=x> | c |", "# <b onclick=x>", "> <script>x</script>", "- <a href=javascript:x>y</a>",
  "[<img src=x onerror=y>](https://e.com)", "**<script>x</script>**", "`<script>x</script>`", "&lt;script&gt;", "[x]: javascript:alert(1)\n[x]",
];
const elements = new Set(["#FRAGMENT", "#TEXT", "P", "H3", "H4", "H5", "H6", "HR", "BR", "STRONG", "EM", "CODE", "PRE", "A", "UL", "OL", "LI", "BLOCKQUOTE",
  "DIV", "TABLE", "THEAD", "TBODY", "TR", "TH", "TD", "FIGURE", "FIGCAPTION", "SPAN", "BUTTON"]);
const attributes = new Set(["href", "title", "target", "rel", "class", "tabindex", "role", "aria-label", "start", "scope", "type"]);

test("hostile text makes nothing but harmless elements", () => {
  for (const text of hostile) {
    for (const node of render(text).all) {
      assert.ok(elements.has(node.nodeName), `${node.nodeName} from ${text}`);
      for (const [name, value] of Object.entries(node.attributes)) {
        assert.ok(attributes.has(name), `${name} from ${text}`);
        if (name === "href") {
          assert.match(value, /^https?:\/\//, text);
          assert.equal(node.attributes.rel, "noopener noreferrer nofollow");
        }
      }
    }
  }
});

test("no text takes long or goes deep", () => {
  const many = 50_000;
  for (const part of ["*", "**a ", "_a", "`", "` ", "``a", "[", "![", "[a](", "[a](b", "<https://", "http://", "h", "> ", "- ", "#", "# ", "|", "|-", "-", " ", "\\", "```\n", "~~~\n", "1. ", "\n",
    "# a  ", "```   ", "a  \n", "[1]", "!", "| a |\n|---|\n", "  - a\n"]) {
    for (const text of [part.repeat(many), `${part.repeat(many)}x`, `x ${part.repeat(many)}\`y`]) {
      render(text); // quadratic work would outlast every time limit
    }
  }
  render(Array.from({ length: 300 }, (_, i) => `${"  ".repeat(i)}- a`).join("\n"));
  render(`${">".repeat(10_000)} a`);
});
