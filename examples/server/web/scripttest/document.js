// A document with just what the renderer uses. It records what is built, and
// writes it as text in which nothing can be mistaken for markup that was parsed.

class Node {
  constructor(name, data) {
    Object.assign(this, { nodeName: name.toUpperCase(), data, attributes: {}, childNodes: [] });
  }
  setAttribute(name, value) {
    this.attributes[name] = String(value);
  }
  addEventListener() {}
  append(...nodes) {
    for (const node of nodes) {
      this.childNodes.push(...(typeof node === "string" ? [new Node("#text", node)] : node.nodeName === "#FRAGMENT" ? node.childNodes : [node]));
    }
  }
  get all() {
    return [this, ...this.childNodes.flatMap((n) => n.all)];
  }
  get text() {
    return this.data ?? this.childNodes.map((n) => n.text).join("");
  }
  toString() {
    if (this.data !== undefined) {
      return this.data;
    }
    const inner = this.childNodes.join("");
    return this.nodeName === "#FRAGMENT" ? inner : `{${this.nodeName.toLowerCase()}${this.attributes.href ? ` ${this.attributes.href}` : ""}:${inner}}`;
  }
}

globalThis.document = { createElement: (name) => new Node(name), createDocumentFragment: () => new Node("#fragment") };
