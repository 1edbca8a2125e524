// @vitest-environment jsdom
import { act, render, screen, waitFor } from "@testing-library/react";
import { renderToString } from "react-dom/server";
import { describe, expect, it, vi } from "vitest";
import Layout from "../app/layout";
import Bootstrap from "../components/Bootstrap";
import { captureSecret, setMark, takeSecret } from "../lib/operator-mark";
import { serve } from "./dom";

vi.mock("next/navigation", () => ({ usePathname: () => "/" }));

export const HINT = /ai-|operator|approv|improve/i;
const signedIn = { aiimprove: 1, command: "operator login", status: "ok", exit_code: 0, data: { name: "Ada" }, errors: [] };
const nothingWaits = { ...signedIn, command: "status", data: { running: true, improvements: [] } };
const refused = { ...signedIn, status: "refused", exit_code: 3, data: {}, errors: [{ code: "used", message: "It was used already." }] };

describe("a visitor", () => {
  it("gets a page without a hint", () => {
    const html = renderToString(<Layout>page</Layout>);
    expect(html).toContain("Video Library");
    expect(html).not.toMatch(HINT);
  });

  it("sends no request and sees nothing, with any other fragment too", async () => {
    window.history.replaceState(null, "", "/#content");
    const asked = serve(() => ({ status: 404 }));
    const { container } = render(<Bootstrap />);
    await act(async () => void window.dispatchEvent(new Event("hashchange")));
    expect([asked.length, container.innerHTML, window.location.hash]).toEqual([0, "", "#content"]);
  });
});

describe("an operator", () => {
  it("has the secret out of the address bar before anything is drawn", () => {
    window.history.replaceState({ kept: 1 }, "", "/?q=a#operator=one-time-secret");
    captureSecret();
    expect(window.location.href).toMatch(/\/\?q=a$/);
    expect(window.history.state).toEqual({ kept: 1 });
    expect([takeSecret(), takeSecret()]).toEqual(["one-time-secret", null]);
  });

  it("is signed in by a link, and remembered", async () => {
    window.history.replaceState(null, "", "/#operator=one-time-secret");
    const asked = serve((url) => ({ body: url.pathname === "/api/ai-login" ? signedIn : nothingWaits }));
    render(<Bootstrap />);
    expect(window.location.hash).toBe("");
    await waitFor(() => expect(asked.map(({ url }) => url.pathname)).toContain("/api/ai-status"), { timeout: 4000 });
    expect(asked[0]).toMatchObject({ method: "POST", body: { secret: "one-time-secret" } });
    expect(window.localStorage.getItem("aiimprove.operator")).toBe("1");
  });

  it("is told what to do about a used link", async () => {
    window.history.replaceState(null, "", "/#operator=used-before");
    const asked = serve(() => ({ status: 409, body: refused }));
    render(<Bootstrap />);
    const alert = await screen.findByRole("alert", undefined, { timeout: 4000 });
    expect(alert.textContent).toContain("It was used already. Run aiimprove operator link for a new one.");
    expect(asked.length).toBe(1);
    expect(window.localStorage.length).toBe(0);
  });

  it("is forgotten when the server does not know them", async () => {
    setMark();
    const asked = serve(() => ({ status: 404 }));
    const { container } = render(<Bootstrap />);
    await waitFor(() => expect(asked.length).toBe(1), { timeout: 4000 });
    await waitFor(() => expect(window.localStorage.length).toBe(0));
    expect(container.innerHTML).toBe("");
  });
});
