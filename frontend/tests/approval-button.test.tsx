// @vitest-environment jsdom
import { act, render, screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { beforeEach, describe, expect, it, vi } from "vitest";
import AIApprovalButton from "../components/AIApprovalButton";
import { type Reply, serve } from "./dom";

const [OLD, NEW] = ["a".repeat(64), "b".repeat(64)];
const DIFF = "--- a/x.py\n+++ b/x.py\n@@ -1,3 +1,3 @@\n def page(n):\n--- a comment in SQL\n-    old\u202e = 1\n+    new = 1\n";

let improvement: Record<string, unknown>;
let system: Record<string, unknown>;
let decided: Reply;

const envelope = (data: unknown, exit = 0, errors: unknown[] = []) => ({
  body: { aiimprove: 1, command: "x", status: exit ? "refused" : "ok", exit_code: exit, data, errors },
});
const refusal = (status: number, code: string, message: string) => ({ status, ...envelope({}, 3, [{ code, message }]) });
const card = () => ({
  ...improvement,
  detector: "hostile-values",
  author: "recipes",
  finding: { summary: "page=1e20 answers 500", where: "GET /api/videos", probe: { method: "GET" }, impact: "every reader" },
  before: "500",
  after: "422",
  diff: DIFF,
  files: ["x.py"],
  checks: [{ name: "probe", verdict: "passed", summary: "fails 3/3, passes 3/3", seconds: 1.25 }],
  not_checked: ["Behaviour under load"],
  dev_url: "http://localhost:4312/",
});

let down = false;
const serveIt = () =>
  serve((url) => {
    if (down) throw new TypeError("fetch failed");
    if (url.searchParams.has("show")) return envelope(card());
    if (url.pathname === "/api/ai-status") return envelope({ running: true, health: { score: 97, live: "ok" }, improvements: [improvement], ...system });
    return decided;
  });

beforeEach(() => {
  down = false;
  improvement = { id: "bound-page", kind: "bug", title: "A huge page crashes", status: "AWAITING_APPROVAL", digest: OLD };
  system = { deploying: null };
  decided = envelope({});
  vi.useFakeTimers({ shouldAdvanceTime: true, advanceTimeDelta: 20 });
});

const user = () => userEvent.setup({ advanceTimers: vi.advanceTimersByTime });
const pass = (ms: number) => act(() => vi.advanceTimersByTimeAsync(ms));
const show = () => render(<AIApprovalButton onSignedOut={() => undefined} />);

async function openPanel() {
  await user().click(await screen.findByTestId("ai-button"));
  const panel = await screen.findByTestId("ai-panel");
  await within(panel).findByTestId("ai-approve");
  return panel;
}

describe("the button", () => {
  it("is there only when something waits", async () => {
    improvement.status = "GENERATED";
    serveIt();
    show();
    await pass(100);
    expect(screen.queryByTestId("ai-button")).toBeNull();
    improvement.status = "AWAITING_APPROVAL";
    await pass(5000);
    expect(screen.getByTestId("ai-button").textContent).toContain("1 waiting for approval");
  });

  it("tells when the server no longer knows the operator", async () => {
    for (const reply of [{ status: 404 }, refusal(409, "not_operator", "No.")]) {
      serve(() => reply);
      const gone = vi.fn();
      const { unmount } = render(<AIApprovalButton onSignedOut={gone} />);
      await waitFor(() => expect(gone).toHaveBeenCalledOnce());
      unmount();
    }
  });
});

describe("the panel", () => {
  it("shows what was found, the change with nothing hidden, the checks and what they leave out", async () => {
    serveIt();
    show();
    const panel = await openPanel();
    for (const words of ["page=1e20 answers 500", "every reader", "500", "422", "97 of 100", "Behaviour under load"]) {
      expect(panel.textContent).toContain(words);
    }
    expect(within(panel).getByTestId("ai-checks").textContent).toMatch(/passed.*probe.*3\/3.*1\.3 s/);
    expect(within(panel).getByTestId("ai-dev-link").getAttribute("href")).toBe("http://localhost:4312/");
    const diff = within(panel).getByTestId("ai-diff");
    expect(diff.textContent).not.toContain("\u202e");
    expect(diff.querySelector("mark")?.textContent).toBe("U+202E");
    const kinds = [...diff.querySelectorAll("[data-kind]")].map((line) => line.getAttribute("data-kind"));
    expect(kinds).toEqual(["file", "file", "hunk", "context", "removed", "removed", "added"]);
  });

  it("survives a card with nothing in it, and offers no link that is not to the web", async () => {
    serve((url) => (url.searchParams.has("show") ? envelope({ id: "bound-page", dev_url: "javascript:alert(1)" }) : envelope({ improvements: [improvement] })));
    show();
    const panel = await openPanel();
    expect(within(panel).queryByTestId("ai-dev-link")).toBeNull();
    expect((within(panel).getByTestId("ai-approve") as HTMLButtonElement).disabled).toBe(true);
  });

  it("is a dialog that keeps the focus, and closes on Escape giving it back", async () => {
    serveIt();
    show();
    const panel = await openPanel();
    const keys = user();
    for (let step = 0; step < 12; step++) {
      await keys.tab();
      expect(panel.contains(document.activeElement)).toBe(true);
    }
    act(() => void panel.dispatchEvent(new Event("cancel", { cancelable: true })));
    expect(screen.queryByTestId("ai-panel")).toBeNull();
    expect(document.activeElement).toBe(screen.getByTestId("ai-button"));
  });
});

describe("a change without a way back", () => {
  it("is approved only by somebody who typed that", async () => {
    improvement.rollback = { words: "one way, because its migration rewrites rows", one_way: true };
    const asked = serveIt();
    show();
    const panel = await openPanel();
    const button = within(panel).getByTestId("ai-approve") as HTMLButtonElement;
    await pass(2000);
    expect(panel.textContent).toContain("its migration rewrites rows");
    await user().type(within(panel).getByTestId("ai-one-way"), "one wa");
    expect(button.disabled).toBe(true);
    await user().type(within(panel).getByTestId("ai-one-way"), "y");
    expect(button.disabled).toBe(false);
    await user().click(button);
    const sent = asked.filter(({ method }) => method === "POST").map(({ body }) => body);
    expect(sent).toEqual([{ id: "bound-page", digest: OLD, one_way: true }]);
  });

  it("asks for nothing more when there is one", async () => {
    improvement.rollback = { words: "rollback proven: 0.2 s, 0 rows lost", one_way: false };
    serveIt();
    show();
    const panel = await openPanel();
    expect(within(panel).queryByTestId("ai-one-way")).toBeNull();
    expect(within(panel).getByTestId("ai-rollback").textContent).toContain("0.2 s, 0 rows lost");
  });
});

describe("what is predicted", () => {
  it("stands on the card, with what else is mended, and nothing hidden in it", async () => {
    improvement.prediction = { words: "9000 bytes become about 800 (between 640 and 960)" };
    improvement.also = ["Compress\u202e what the site sends"];
    serveIt();
    show();
    const told = within(await openPanel()).getByTestId("ai-prediction");
    expect(told.textContent).toContain("become about 800 (between 640 and 960)");
    expect(told.textContent).toContain("It mends too: CompressU+202E what");
  });

  it("is said to be nothing when there is no figure", async () => {
    serveIt();
    show();
    expect(within(await openPanel()).getByTestId("ai-prediction").textContent).toContain("Nothing is predicted");
  });

  it("is offered for a rollback by its command when live misses it, and never by a button", async () => {
    improvement.status = "LIVE";
    system = { deploying: null, missed: { "bound-page": "live shows 9000 bytes" } };
    serveIt();
    show();
    const told = await screen.findByTestId("ai-missed");
    expect(told.textContent).toContain("A huge page crashes: live shows 9000 bytes");
    expect(told.textContent).toContain("aiimprove rollback");
    expect(within(told).queryByRole("button")).toBeNull();
    system = { deploying: null, missed: {} };
    await pass(5000);
    expect(screen.queryByTestId("ai-missed")).toBeNull();
  });
});

describe("approving", () => {
  it("sends the digest on the card once, and follows it to live, through a reload and a server that goes away", async () => {
    const asked = serveIt();
    const { unmount } = show();
    const panel = await openPanel();
    let answer: (reply: { body: unknown }) => void = () => undefined;
    decided = new Promise((resolve) => (answer = resolve));
    const button = within(panel).getByTestId("ai-approve") as HTMLButtonElement;
    await user().dblClick(button);
    expect(button.disabled).toBe(true);
    const sent = asked.filter(({ method }) => method === "POST");
    expect(sent.map(({ url, body }) => [url.pathname, body])).toEqual([["/api/ai-approve", { id: "bound-page", digest: OLD }]]);
    improvement.status = "APPROVED";
    answer(envelope({}));
    await waitFor(() => expect(screen.getByTestId("ai-progress").textContent).toContain("Approved. The deployment is about to begin."));
    expect(screen.queryByTestId("ai-panel")).toBeNull();
    system = { deploying: { improvement: "bound-page", status: "CANARY", message: "" } };
    unmount();
    show();
    await waitFor(() => expect(screen.getByTestId("ai-progress").textContent).toContain("small share"));
    down = true;
    await pass(6000);
    expect(screen.getByTestId("ai-progress").textContent).toContain("still watching");
    down = false;
    improvement.status = "LIVE";
    system = { deploying: null };
    await pass(3000);
    expect(screen.getByTestId("ai-progress").getAttribute("data-step")).toBe("live");
    await user().click(screen.getByRole("button", { name: "Dismiss" }));
    expect(window.localStorage.getItem("aiimprove.followed")).toBeNull();
  });

  it("says the refusal of a stale digest in words, reloads the card, and is not fooled by a second click", async () => {
    const asked = serveIt();
    const { unmount } = show();
    const panel = await openPanel();
    decided = refusal(409, "stale", "This improvement has changed since you looked at it.");
    improvement.digest = NEW;
    const button = within(panel).getByTestId("ai-approve") as HTMLButtonElement;
    await user().click(button);
    expect((await within(panel).findByRole("alert")).textContent).toContain("has changed since");
    expect(button.disabled).toBe(true);
    decided = envelope({});
    await pass(2000);
    await user().click(button);
    const digests = asked.filter(({ method }) => method === "POST").map(({ body }) => (body as { digest: string }).digest);
    expect(digests).toEqual([OLD, NEW]);
    unmount();
  });

  it("still tells a refusal after a reload", async () => {
    serveIt();
    const { unmount } = show();
    const panel = await openPanel();
    decided = refusal(423, "locked", "A deployment is under way.");
    await user().click(within(panel).getByTestId("ai-approve"));
    await within(panel).findByRole("alert");
    unmount();
    show();
    expect(screen.getByTestId("ai-progress").textContent).toContain("A deployment is under way.");
  });

  it("learns from the card that it was done when the answer got lost", async () => {
    serveIt();
    show();
    const panel = await openPanel();
    decided = { status: 502 };
    improvement.status = "APPROVED";
    await user().click(within(panel).getByTestId("ai-approve"));
    await waitFor(() => expect(screen.getByTestId("ai-progress").getAttribute("data-step")).toBe("approved"));
  });

  it("says why it was rolled back", async () => {
    window.localStorage.setItem("aiimprove.followed", JSON.stringify({ id: "bound-page", title: "T", digest: OLD, verb: "approve", refusal: "" }));
    improvement.status = "ROLLED_BACK";
    serve((url) => (url.searchParams.has("show") ? envelope({ ...card(), events: [{ message: "6 of 9 answers were errors." }] }) : envelope({ improvements: [improvement] })));
    show();
    await waitFor(() => expect(screen.getByTestId("ai-progress").textContent).toContain("6 of 9 answers were errors."));
  });
});

describe("rejecting", () => {
  it("says what would bring it back", async () => {
    serveIt();
    show();
    const panel = await openPanel();
    improvement = { ...improvement, status: "REJECTED", rejection: { comes_back: "comes back after 2027-02-20" } };
    await user().type(within(panel).getByTestId("ai-reason"), "no");
    await user().click(within(panel).getByTestId("ai-reject"));
    await waitFor(() => expect(screen.getByTestId("ai-progress").textContent).toContain("Rejected. Comes back after 2027-02-20."));
  });

  it("needs a reason and sends it", async () => {
    const asked = serveIt();
    show();
    const panel = await openPanel();
    const button = within(panel).getByTestId("ai-reject") as HTMLButtonElement;
    expect(button.disabled).toBe(true);
    await user().type(within(panel).getByTestId("ai-reason"), "Not before the weekend");
    await user().click(button);
    await waitFor(() => expect(screen.getByTestId("ai-progress").textContent).toContain("Rejected"));
    expect(asked.find(({ method }) => method === "POST")?.body).toEqual({ id: "bound-page", digest: OLD, reason: "Not before the weekend" });
    expect(screen.queryByTestId("ai-button")).toBeNull();
  });
});
