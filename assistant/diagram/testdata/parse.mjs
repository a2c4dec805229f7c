// Reads diagrams as one JSON value a line from standard input, parses each with
// the real Mermaid, and writes one line for each: the kind of diagram, or "!" and
// the error. MERMAID_DIR is a folder with node_modules/mermaid and
// node_modules/jsdom.
import { createRequire } from 'node:module';
import { createInterface } from 'node:readline';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';

const require = createRequire(join(resolve(process.env.MERMAID_DIR), 'package.json'));

// Mermaid cleans labels with DOMPurify, which needs the window of a browser.
const { JSDOM } = require('jsdom');
const { window } = new JSDOM('<!DOCTYPE html><body></body>');
globalThis.window = window;
globalThis.document = window.document;

const entry = join(resolve(process.env.MERMAID_DIR), 'node_modules/mermaid/dist/mermaid.core.mjs');
const { default: mermaid } = await import(pathToFileURL(entry));
mermaid.initialize({ startOnLoad: false });

for await (const line of createInterface({ input: process.stdin })) {
  const text = JSON.parse(line);
  try {
    if (text.length > 50000) throw new Error(`has ${text.length} characters; Mermaid draws 50000 at most`);
    const { diagramType } = await mermaid.parse(text);
    process.stdout.write(JSON.stringify(diagramType) + '\n');
  } catch (e) {
    process.stdout.write(JSON.stringify('!' + (e.message ?? e)) + '\n');
  }
}
