/** What the approval routes tell the operator's browser. Every field is read with care: any may be missing. */

export interface Improvement {
  id: string;
  kind: string;
  title: string;
  status: string;
  digest: string;
}

export interface Deploying {
  improvement: string;
  status: string;
  message: string;
}

/** Something that is live and does not do there what was predicted. */
export interface Miss {
  id: string;
  title: string;
  why: string;
}

export interface SystemStatus {
  running: boolean;
  health: Record<string, unknown>;
  improvements: Improvement[];
  deploying: Deploying | null;
  missed: Miss[];
  devUrl: string;
}

export interface CheckResult {
  name: string;
  verdict: string;
  summary: string;
  seconds: number | null;
}

export interface Card extends Improvement {
  detector: string;
  author: string;
  finding: { summary: string; where: string; impact: string; probe: unknown };
  before: string;
  after: string;
  diff: string;
  files: string[];
  checks: CheckResult[];
  /** What the proof says about the way back; empty when none was tried. */
  rollback: string;
  oneWay: boolean;
  /** What live will show, and between what; empty when the proof predicts nothing. */
  prediction: string;
  /** Titles of other findings that it mends too. */
  also: string[];
  notChecked: string[];
  claim: string;
  refusals: string[];
  lastMessage: string;
  /** What would bring it back once it was rejected. */
  comesBack: string;
  devUrl: string;
}

type Fields = Record<string, unknown>;

export function fields(value: unknown): Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Fields) : {};
}

/** Any value as a line of text. */
export function text(value: unknown): string {
  if (value === null || value === undefined) return "";
  if (Array.isArray(value)) return value.map(text).filter(Boolean).join(", ");
  if (typeof value !== "object") return String(value);
  return Object.entries(value).map(([name, inner]) => `${name}: ${text(inner)}`).join(", ");
}

const list = (value: unknown): unknown[] => (Array.isArray(value) ? value : []);

/** A refusal, a file or a gap in the proof may come as a word or as an object with a sentence in it. */
function sentence(value: unknown): string {
  const { message, path, name, summary } = fields(value);
  return text(message ?? path ?? (name && summary ? `${text(name)}: ${text(summary)}` : (name ?? summary)) ?? value);
}

function readImprovement(value: unknown): Improvement {
  const { id, kind, title, status, digest } = fields(value);
  return { id: text(id), kind: text(kind), title: text(title), status: text(status), digest: text(digest) };
}

function readDeploying(value: unknown): Deploying | null {
  if (!value) return null;
  const { improvement, status, message } = fields(value);
  return { improvement: text(improvement), status: text(status), message: text(message) };
}

export function readStatus(data: Fields): SystemStatus {
  const improvements = list(data.improvements).map(readImprovement);
  const titleOf = (id: string) => improvements.find((improvement) => improvement.id === id)?.title ?? "";
  return {
    running: data.running === true,
    health: fields(data.health),
    improvements,
    deploying: readDeploying(data.deploying),
    missed: Object.entries(fields(data.missed)).map(([id, why]) => ({ id, title: titleOf(id), why: text(why) })),
    devUrl: text(data.dev_url),
  };
}

function readCheck(value: unknown): CheckResult {
  const { name, verdict, summary, seconds } = fields(value);
  return {
    name: text(name),
    verdict: text(verdict),
    summary: text(summary),
    seconds: typeof seconds === "number" ? seconds : null,
  };
}

export function readCard(data: Fields): Card {
  const finding = fields(data.finding);
  return {
    ...readImprovement(data),
    detector: text(data.detector),
    author: text(data.author),
    finding: {
      summary: text(finding.summary),
      where: text(finding.where),
      impact: typeof finding.impact === "number" ? `${Math.round(finding.impact)} of 100` : text(finding.impact),
      probe: finding.probe,
    },
    before: text(data.before),
    after: text(data.after),
    diff: text(data.diff),
    files: list(data.files).map(sentence),
    checks: list(data.checks).map(readCheck),
    rollback: text(fields(data.rollback).words),
    oneWay: fields(data.rollback).one_way === true,
    prediction: text(fields(data.prediction).words),
    also: list(data.also).map(sentence),
    notChecked: list(data.not_checked).map(sentence),
    claim: text(data.claim),
    refusals: list(data.refusals).map(sentence),
    lastMessage: text(fields(list(data.events).at(-1)).message),
    comesBack: text(fields(data.rejection).comes_back),
    devUrl: text(data.dev_url),
  };
}
