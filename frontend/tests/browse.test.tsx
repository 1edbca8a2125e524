// @vitest-environment jsdom
import { render, screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { useState } from "react";
import { describe, expect, it } from "vitest";
import Browse from "../components/Browse";
import type { Video } from "../lib/library";
import { type Asked, type Rule, serve } from "./dom";

const video = (id: number, title: string): Video => ({
  id,
  title,
  description: "",
  url: "https://example.org/v",
  media_url: null,
  thumbnail_url: "javascript:alert(1)",
  duration: 187,
  published: "2026-03-04T00:00:00Z",
  category: "Nature",
  tags: [],
  favourite: false,
  plays: 2,
  source_id: 1,
  added: "2026-03-05T00:00:00Z",
});

const lists: Rule = (url) => (/categories|tags/.test(url.pathname) ? { body: [{ name: "Nature", count: 3 }] } : undefined);
const page = (titles: string[], total = titles.length) => ({
  body: { items: titles.map((title, index) => video(index + 1, title)), total, page: 1, page_size: 24 },
});
const searches = (asked: Asked[]) => asked.filter(({ url }) => url.pathname === "/api/library/videos");

function Site({ start = "" }: { start?: string }) {
  const [address, setAddress] = useState(`/?${start}`);
  return (
    <>
      <output>{address}</output>
      <Browse search={address.split("?")[1] ?? ""} onAddress={setAddress} />
    </>
  );
}

describe("browsing", () => {
  it("shows a skeleton, then the videos and how many there are", async () => {
    serve(lists, () => page(["Waterfall", "Glacier"]));
    render(<Site />);
    expect(screen.getByText("Loading videos")).toBeDefined();
    const card = (await screen.findByRole("link", { name: /Waterfall/ })).closest("article");
    expect(card?.textContent).toContain("3:07");
    expect(card?.textContent).toContain("4 March 2026");
    expect(screen.getByText("2 videos").getAttribute("aria-live")).toBe("polite");
    expect(document.querySelector("img")).toBeNull(); // a thumbnail that is no web address is not used
  });

  it("searches once the typing pauses, keeps the address in step and drops the stale request", async () => {
    let slow: (reply: { body: unknown }) => void = () => undefined;
    const asked = serve(lists, (url) => {
      const q = url.searchParams.get("q");
      if (q === "wat") return new Promise((resolve) => (slow = resolve));
      return q === "waterfall" ? page(["Waterfall"]) : page(["Everything"]);
    });
    render(<Site />);
    const box = screen.getByRole("searchbox", { name: "Search videos" });
    await userEvent.type(box, "wat");
    await waitFor(() => expect(searches(asked).length).toBe(2)); // the first page, then one for three letters
    expect(screen.getByText("/?q=wat")).toBeDefined();
    await userEvent.type(box, "erfall");
    await screen.findByRole("link", { name: /Waterfall/ });
    slow(page(["Too late"]));
    expect(searches(asked)[1]?.signal?.aborted).toBe(true);
    expect(screen.getByText("/?q=waterfall")).toBeDefined();
    expect(screen.queryByText("Too late")).toBeNull();
    expect(searches(asked).at(-1)?.url.searchParams.get("sort")).toBe("relevance");
  });

  it("filters and sorts through the address and goes back to the first page", async () => {
    const asked = serve(lists, () => page(["One"], 100));
    render(<Site start="page=3" />);
    await screen.findByText("Page 3 of 5");
    await screen.findByRole("option", { name: "Nature (3)", hidden: true }).catch(() => undefined);
    await userEvent.selectOptions(screen.getByLabelText("Category"), "Nature");
    await userEvent.selectOptions(screen.getByLabelText("Duration"), "medium");
    await userEvent.selectOptions(screen.getByLabelText("Sort by"), "plays");
    await userEvent.click(screen.getByRole("button", { name: "Favourites" }));
    expect(screen.getByText("/?category=Nature&favourite=true&length=medium&sort=plays")).toBeDefined();
    const last = Object.fromEntries(searches(asked).at(-1)?.url.searchParams ?? []);
    expect(last).toEqual({ category: "Nature", favourite: "true", min_duration: "60", max_duration: "600", sort: "plays", page: "1", page_size: "24" });
  });

  it("turns pages and moves the focus to the results", async () => {
    serve(lists, () => page(["One"], 30));
    render(<Site />);
    await userEvent.click(await screen.findByRole("button", { name: "Next" }));
    expect(screen.getByText("/?page=2")).toBeDefined();
    expect(document.activeElement?.tagName).toBe("H1");
  });

  it("says what to do when nothing is found", async () => {
    serve(lists, (url) => (url.searchParams.get("q") ? page([]) : page(["One"])));
    render(<Site start="q=zebra" />);
    await userEvent.click(await screen.findByRole("button", { name: "Clear search and filters" }));
    expect(await screen.findByRole("link", { name: /One/ })).toBeDefined();
  });

  it("stays calm while the backend is down, and recovers on retry", async () => {
    let up = false;
    serve((url) => (up ? lists(url, {}) : { status: 502, body: { error: "backend_down" } }), () => page(["Back again"]));
    render(<Site />);
    const alert = await screen.findByRole("alert");
    expect(alert.textContent).toContain("not answering right now");
    up = true;
    await userEvent.click(within(alert).getByRole("button", { name: "Try again" }));
    expect(await screen.findByRole("link", { name: /Back again/ })).toBeDefined();
    expect(screen.queryByRole("alert")).toBeNull();
  });

  it("marks a favourite at once, and takes it back when the library refuses", async () => {
    let refuse = false;
    const asked = serve(lists, (url, init) => {
      if (!url.pathname.endsWith("/favourite")) return page(["One"]);
      return refuse ? { status: 503 } : { body: { favourite: init.method === "PUT" } };
    });
    render(<Site />);
    const heart = await screen.findByRole("button", { name: "Favourite: One" });
    await userEvent.click(heart);
    expect(heart.getAttribute("aria-pressed")).toBe("true");
    refuse = true;
    await userEvent.click(heart);
    await waitFor(() => expect(screen.getByRole("alert").textContent).toContain("not answering"));
    expect(heart.getAttribute("aria-pressed")).toBe("true");
    expect(asked.filter(({ url }) => url.pathname.endsWith("/favourite")).map(({ method }) => method)).toEqual(["PUT", "DELETE"]);
  });
});
