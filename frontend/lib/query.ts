/** What the visitor is looking for, as it stands in the address bar and as the backend is asked. */

export const SORTS = {
  relevance: "Best match",
  newest: "Newest",
  oldest: "Oldest",
  title: "Title",
  duration: "Duration",
  plays: "Most played",
} as const;

export const LENGTHS = {
  short: { label: "Under 1 minute", min: null, max: 59 },
  medium: { label: "1 to 10 minutes", min: 60, max: 600 },
  long: { label: "Over 10 minutes", min: 601, max: null },
} as const;

export type Sort = keyof typeof SORTS;
export type Length = keyof typeof LENGTHS;

export interface VideoQuery {
  q: string;
  category: string;
  tag: string;
  source: string;
  favourite: boolean;
  length: Length | "";
  sort: Sort | "";
  page: number;
}

export const PAGE_SIZE = 24;
const LAST_PAGE = 100_000;

function isKey<T extends object>(table: T, key: string): key is Extract<keyof T, string> {
  return Object.hasOwn(table, key);
}

function pageOf(text: string | null): number {
  const page = Number(text);
  return Number.isInteger(page) && page >= 1 && page <= LAST_PAGE ? page : 1;
}

/** Reads the address bar; whatever makes no sense there is left out. */
export function parseQuery(search: string): VideoQuery {
  const params = new URLSearchParams(search);
  const length = params.get("length") ?? "";
  const sort = params.get("sort") ?? "";
  return {
    q: params.get("q") ?? "",
    category: params.get("category") ?? "",
    tag: params.get("tag") ?? "",
    source: params.get("source") ?? "",
    favourite: params.get("favourite") === "true",
    length: isKey(LENGTHS, length) ? length : "",
    sort: isKey(SORTS, sort) ? sort : "",
    page: pageOf(params.get("page")),
  };
}

function withoutBlanks(pairs: [string, string | number | null][]): URLSearchParams {
  const filled = pairs.filter(([, value]) => value !== null && value !== "");
  return new URLSearchParams(filled.map(([name, value]) => [name, String(value)]));
}

/** The path with the query for the address bar: only what differs from the plain front page. */
export function addressOf(query: VideoQuery): string {
  const { q, category, tag, source, favourite, length, sort, page } = query;
  const params = withoutBlanks([
    ["q", q],
    ["category", category],
    ["tag", tag],
    ["source", source],
    ["favourite", favourite ? "true" : ""],
    ["length", length],
    ["sort", sort],
    ["page", page > 1 ? page : ""],
  ]).toString();
  return params ? `/?${params}` : "/";
}

export function sortOf(query: VideoQuery): Sort {
  return query.sort || (query.q.trim() ? "relevance" : "newest");
}

/** The query string the backend is asked with. */
export function backendSearch(query: VideoQuery): string {
  const length = query.length ? LENGTHS[query.length] : null;
  return withoutBlanks([
    ["q", query.q.trim()],
    ["category", query.category],
    ["tag", query.tag],
    ["source", query.source],
    ["favourite", query.favourite ? "true" : ""],
    ["min_duration", length?.min ?? null],
    ["max_duration", length?.max ?? null],
    ["sort", sortOf(query)],
    ["page", query.page],
    ["page_size", PAGE_SIZE],
  ]).toString();
}

export function isFiltered(query: VideoQuery): boolean {
  return Boolean(query.q.trim() || query.category || query.tag || query.source || query.favourite || query.length);
}
