/** The video library as the browser sees it: typed calls to the site's own origin. */

export interface Video {
  id: number;
  title: string;
  description: string;
  url: string;
  media_url: string | null;
  thumbnail_url: string | null;
  duration: number | null;
  published: string | null;
  category: string | null;
  tags: string[];
  favourite: boolean;
  plays: number;
  source_id: number | null;
  added: string;
}

export interface VideoPage {
  items: Video[];
  total: number;
  page: number;
  page_size: number;
}

export interface Count {
  name: string;
  count: number;
}

export interface Playlist {
  id: number;
  name: string;
  count?: number;
  items?: Video[];
}

export interface Source {
  id: number;
  url: string;
  added?: string;
  videos?: number;
  last_crawl?: string | null;
}

export interface Crawl {
  id: number;
  source_id: number | null;
  url?: string;
  status: string;
  queued?: string | null;
  started?: string | null;
  finished?: string | null;
  pages?: number;
  skipped?: number;
  added?: number;
  updated?: number;
  failed?: number;
  errors?: { url: string; error: string }[];
}

/** What went wrong, in a sentence for the visitor. `status` is 0 when no answer came at all. */
export class LibraryError extends Error {
  constructor(
    message: string,
    readonly status: number,
  ) {
    super(message);
  }
}

const BASE = "/api/library";
const DEADLINE_MS = 20_000;

function sentenceFor(status: number, body: unknown): string {
  const detail = (body as { detail?: unknown; message?: unknown } | null)?.detail;
  if (status >= 500) return "The library is not answering right now. Please try again in a moment.";
  if (typeof detail === "string") return detail;
  if (status === 404) return "That is no longer in the library.";
  if (status === 422) return "The library could not make sense of that.";
  return "The library refused that request.";
}

async function readBody(response: Response): Promise<unknown> {
  const text = await response.text();
  if (text === "") return null;
  try {
    return JSON.parse(text) as unknown;
  } catch {
    throw new LibraryError("The library gave an answer that could not be read.", response.status || 502);
  }
}

async function send(path: string, init: RequestInit, signal?: AbortSignal): Promise<Response> {
  const deadline = AbortSignal.timeout(DEADLINE_MS);
  try {
    return await fetch(BASE + path, { ...init, signal: signal ? AbortSignal.any([signal, deadline]) : deadline });
  } catch (error) {
    if (signal?.aborted) throw error;
    throw new LibraryError("The library could not be reached. Check the connection and try again.", 0);
  }
}

async function call<T>(method: string, path: string, body?: unknown, signal?: AbortSignal): Promise<T> {
  const init: RequestInit = { method };
  if (body !== undefined) {
    init.headers = { "Content-Type": "application/json" };
    init.body = JSON.stringify(body);
  }
  const response = await send(path, init, signal);
  if (response.ok) return (await readBody(response)) as T;
  const answer = await readBody(response).catch(() => null);
  throw new LibraryError(sentenceFor(response.status, answer), response.status);
}

const get = <T>(path: string, signal?: AbortSignal): Promise<T> => call<T>("GET", path, undefined, signal);

export const library = {
  videos: (search: string, signal?: AbortSignal) => get<VideoPage>(`/videos?${search}`, signal),
  video: (id: string, signal?: AbortSignal) => get<Video>(`/videos/${encodeURIComponent(id)}`, signal),
  play: (id: number) => call<{ plays: number }>("POST", `/videos/${id}/play`),
  setFavourite: (id: number, on: boolean) =>
    call<{ favourite: boolean }>(on ? "PUT" : "DELETE", `/videos/${id}/favourite`),
  categories: (signal?: AbortSignal) => get<Count[]>("/categories", signal),
  tags: (signal?: AbortSignal) => get<Count[]>("/tags", signal),

  playlists: (signal?: AbortSignal) => get<Playlist[]>("/playlists", signal),
  playlist: (id: string, signal?: AbortSignal) => get<Playlist>(`/playlists/${encodeURIComponent(id)}`, signal),
  createPlaylist: (name: string) => call<Playlist>("POST", "/playlists", { name }),
  renamePlaylist: (id: number, name: string) => call<Playlist>("PATCH", `/playlists/${id}`, { name }),
  deletePlaylist: (id: number) => call<null>("DELETE", `/playlists/${id}`),
  addToPlaylist: (id: number, video: number) => call<unknown>("POST", `/playlists/${id}/items`, { video_id: video }),
  removeFromPlaylist: (id: number, video: number) => call<null>("DELETE", `/playlists/${id}/items/${video}`),
  orderPlaylist: (id: number, videos: number[]) =>
    call<unknown>("PUT", `/playlists/${id}/items`, { video_ids: videos }),

  sources: (signal?: AbortSignal) => get<Source[]>("/sources", signal),
  addSource: (url: string) => call<Source>("POST", "/sources", { url }),
  deleteSource: (id: number) => call<null>("DELETE", `/sources/${id}`),
  crawl: (id: number) => call<unknown>("POST", `/sources/${id}/crawl`),
  crawls: (signal?: AbortSignal) => get<Crawl[]>("/crawls", signal),

  /** A usage event: which kind of page was looked at; nothing about who. */
  pageView: (path: string) => call<unknown>("POST", "/events", { type: "page_view", path }),
};

/** The sentence to show for anything that was thrown. */
export function sentenceOf(error: unknown): string {
  return error instanceof LibraryError ? error.message : "Something went wrong. Please try again.";
}
