// Draws one diagram. This document has no origin and no network (see the policies
// in web.go); it knows nothing but the text that its parent sends.
"use strict";

addEventListener("message", async ({ source, data }) => {
  if (source !== parent || typeof data?.source !== "string") {
    return;
  }
  try {
    mermaid.initialize({ startOnLoad: false, securityLevel: "strict", theme: data.dark ? "dark" : "default", suppressErrorRendering: true });
    const { svg } = await mermaid.render("diagram", data.source);
    const drawn = new DOMParser().parseFromString(svg, "text/html").querySelector("svg");
    document.getElementById("drawing").replaceChildren(drawn);
    parent.postMessage({ height: document.documentElement.scrollHeight + 16 }, "*");
  } catch {
    parent.postMessage({ failed: true }, "*");
  }
});

parent.postMessage({ ready: typeof mermaid === "object", failed: typeof mermaid !== "object" }, "*");
