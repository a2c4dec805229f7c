// Builds the server and starts it on an empty data directory.

import { execFileSync, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const folder = mkdtempSync(join(tmpdir(), "web-"));

export function build() {
  const binary = join(folder, "server");
  execFileSync("go", ["build", "-o", binary, ".."], { cwd: join(import.meta.dirname, ".."), stdio: "inherit" });
  return binary;
}

export const cleanUp = () => rmSync(folder, { recursive: true, force: true });

// start resolves to {url, stop} once the server listens.
export function start(binary, environ = {}) {
  const data = mkdtempSync(join(folder, "data-"));
  const child = spawn(binary, [], { cwd: data, env: { PATH: process.env.PATH, HOME: data, HOST: "127.0.0.1", PORT: "0", CHROMA_PERSIST_DIR: join(data, "db"), RATE_LIMIT_PER_MINUTE: "0", ...environ } });
  let said = "";
  return new Promise((resolve, reject) => {
    const listen = (chunk) => {
      said += chunk;
      const url = /on (http:\/\/127\.0\.0\.1:\d+)/.exec(said)?.[1];
      if (url) {
        resolve({ url, stop: () => new Promise((done) => child.once("exit", done).kill()) });
      }
    };
    child.stdout.on("data", listen);
    child.stderr.on("data", listen);
    child.once("exit", (code) => reject(new Error(`the server ended with ${code}: ${said}`)));
  });
}
