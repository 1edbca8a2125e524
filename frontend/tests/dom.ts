import { cleanup } from "@testing-library/react";
import { afterEach, beforeEach, vi } from "vitest";

// jsdom draws nothing, so it has no top layer, no scrolling and no media.
HTMLDialogElement.prototype.showModal = function showModal() {
  this.open = true;
  this.querySelector<HTMLElement>("button")?.focus();
};
Element.prototype.scrollIntoView = () => undefined;

export type Reply = { status?: number; body?: unknown } | Promise<{ status?: number; body?: unknown }>;
export type Rule = (url: URL, init: RequestInit) => Reply | undefined;

export interface Asked {
  method: string;
  url: URL;
  body: unknown;
  signal: AbortSignal | null | undefined;
}

/** A fake server for the browser's fetch: every request is kept, the first rule that answers it counts. */
export function serve(...rules: Rule[]): Asked[] {
  const asked: Asked[] = [];
  vi.stubGlobal("fetch", async (address: string, init: RequestInit = {}) => {
    const url = new URL(address, "http://localhost");
    const body = typeof init.body === "string" ? (JSON.parse(init.body) as unknown) : null;
    asked.push({ method: init.method ?? "GET", url, body, signal: init.signal });
    for (const rule of rules) {
      const reply = await rule(url, init);
      if (init.signal?.aborted) throw new DOMException("aborted", "AbortError");
      if (reply) {
        const text = reply.body === undefined ? null : JSON.stringify(reply.body);
        return new Response(text, { status: reply.status ?? 200 });
      }
    }
    throw new TypeError("fetch failed");
  });
  return asked;
}

beforeEach(() => {
  window.localStorage.clear();
  window.history.replaceState(null, "", "/");
});

afterEach(() => {
  cleanup();
  vi.unstubAllGlobals();
  vi.useRealTimers();
});
