// @vitest-environment jsdom
import { fireEvent, render, screen, waitFor } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { describe, expect, it, vi } from "vitest";
import { kindOfPage } from "../components/PageViews";
import Player from "../components/Player";
import PlaylistEditor from "../components/PlaylistEditor";
import Sources from "../components/Sources";
import type { Video } from "../lib/library";
import { serve } from "./dom";

vi.mock("next/navigation", () => ({ useRouter: () => ({ push: () => undefined }) }));

const video = (id: number, title: string, media: string | null = "https://example.org/v.mp4"): Video => ({
  id, title, description: "", url: "https://example.org/page", media_url: media, thumbnail_url: null, duration: 4,
  published: null, category: null, tags: [], favourite: false, plays: 0, source_id: 1, added: "2026-01-01T00:00:00Z",
});

describe("the player", () => {
  it("counts one play, however often it is paused, and a failed count does not stop it", async () => {
    const asked = serve(() => ({ status: 500 }));
    const { container } = render(<Player video={video(7, "A")} />);
    const element = container.querySelector("video") as HTMLVideoElement;
    fireEvent.play(element);
    fireEvent.pause(element);
    fireEvent.play(element);
    await waitFor(() => expect(asked.map(({ url }) => url.pathname)).toEqual(["/api/library/videos/7/play"]));
    expect(container.querySelector("video")).toBe(element);
  });

  it("leads to where the video comes from when it cannot be played here", () => {
    render(<Player video={video(7, "A", "javascript:alert(1)")} />);
    expect(screen.getByRole("link").getAttribute("href")).toBe("https://example.org/page");
  });

  it("says so when the file does not load", () => {
    const { container } = render(<Player video={video(7, "A")} />);
    fireEvent.error(container.querySelector("video") as HTMLVideoElement);
    expect(screen.getByText("This video does not load")).toBeDefined();
  });
});

describe("a playlist", () => {
  const titles = () => screen.getAllByRole("listitem").map((item) => item.querySelector("strong")?.textContent);

  it("is put in order, and goes back when the library refuses", async () => {
    const items = [video(1, "One"), video(2, "Two"), video(3, "Three")];
    let refuse = false;
    const asked = serve((_url, init) => {
      if (init.method === "GET") return { body: { id: 5, name: "Evening", items } };
      return refuse ? { status: 409, body: { detail: "It has changed meanwhile." } } : { body: {} };
    });
    render(<PlaylistEditor id="5" />);
    const up = await screen.findByRole("button", { name: "Move Three up" });
    await userEvent.click(up);
    await screen.findByText("Three is now number 2 of 3.");
    expect(asked.at(-1)).toMatchObject({ method: "PUT", body: { video_ids: [1, 3, 2] } });
    expect(document.activeElement).toBe(up);
    refuse = true;
    await userEvent.click(up);
    await screen.findByText("It has changed meanwhile.");
    expect(titles()).toEqual(["One", "Three", "Two"]);
    await userEvent.click(screen.getByRole("button", { name: "Move One up" })); // it is the first already
    expect(asked.filter(({ method }) => method === "PUT").length).toBe(2);
  });
});

describe("the sources", () => {
  it("watch a crawl until it is over and then count anew", async () => {
    let crawls = [{ id: 1, source_id: 1, url: "https://a.example/", status: "running", finished: null as string | null }];
    const asked = serve((url) => {
      if (url.pathname.endsWith("/crawls")) return { body: crawls };
      return { body: [{ id: 1, url: "https://a.example/", videos: crawls[0]?.finished ? 12 : 0, last_crawl: null }] };
    });
    render(<Sources />);
    expect(await screen.findByText("running")).toBeDefined();
    crawls = [{ ...crawls[0], status: "done", finished: "2026-01-01T00:00:00Z" } as (typeof crawls)[0]];
    expect(await screen.findByText("12 videos", undefined, { timeout: 4000 })).toBeDefined();
    const looks = asked.filter(({ url }) => url.pathname.endsWith("/crawls")).length;
    expect(looks).toBe(2);
  });
});

describe("usage events", () => {
  it("name the kind of page, not the page", () => {
    expect(["/", "/videos/17", "/playlists/3", "/sources"].map(kindOfPage)).toEqual(["/", "/videos/:id", "/playlists/:id", "/sources"]);
  });
});
