/** Runs the aiimprove command line for the approval routes: fixed verbs, checked arguments, secrets on stdin only. */
import { execFile, type ExecFileException } from "node:child_process";
import { type Envelope, failure, parseEnvelope } from "./envelope";

const ID = /^[a-z0-9][a-z0-9-]{0,63}$/;
const DIGEST = /^[0-9a-f]{64}$/;
const TOKEN = /^[A-Za-z0-9._~+/=:-]{8,512}$/;
const LONGEST_REASON = 2000;
const MAX_ANSWER_BYTES = 1024 * 1024;
const DEFAULT_DEADLINE_MS = 10_000;

/** One call of the command line. Only the functions below make them, so no other verb can be run. */
export interface Call {
  readonly verb: string;
  readonly args: readonly string[];
  /** What is written to stdin: the operator's token, or a one-time secret. */
  readonly secret: string;
}

export const isId = (value: unknown): value is string => typeof value === "string" && ID.test(value);
export const isDigest = (value: unknown): value is string => typeof value === "string" && DIGEST.test(value);
export const isToken = (value: unknown): value is string => typeof value === "string" && TOKEN.test(value);

/** A reason goes into argv: no control characters, not empty, not endless. */
export function isReason(value: unknown): value is string {
  if (typeof value !== "string" || value.trim() === "" || value.length > LONGEST_REASON) return false;
  return !/[\u0000-\u0008\u000b-\u001f\u007f]/.test(value);
}

function check(valid: boolean, what: string): void {
  if (!valid) throw new TypeError(`not a valid ${what}`);
}

export function statusCall(token: string): Call {
  check(isToken(token), "token");
  return { verb: "status", args: ["status", "--json", "--operator"], secret: token };
}

export function showCall(token: string, id: string): Call {
  check(isToken(token), "token");
  check(isId(id), "id");
  return { verb: "show", args: ["show", id, "--json", "--operator"], secret: token };
}

export function approveCall(token: string, id: string, digest: string, oneWay = false): Call {
  check(isToken(token), "token");
  check(isId(id) && isDigest(digest), "id and digest");
  const knowing = oneWay ? ["--one-way"] : [];
  const args = ["approve", id, "--digest", digest, ...knowing, "--json", "--token-stdin"];
  return { verb: "approve", args, secret: token };
}

export function rejectCall(token: string, id: string, digest: string, reason: string): Call {
  check(isToken(token), "token");
  check(isId(id) && isDigest(digest), "id and digest");
  check(isReason(reason), "reason");
  // The word after --reason is always its value, even if it begins with a dash.
  const args = ["reject", id, "--digest", digest, "--reason", reason, "--json", "--token-stdin"];
  return { verb: "reject", args, secret: token };
}

export function loginCall(secret: string): Call {
  check(isToken(secret), "secret");
  return { verb: "operator login", args: ["operator", "login", "--json"], secret };
}

/** Is the command line configured at all? Without it the approval routes do not exist. */
export function isConfigured(): boolean {
  return Boolean(process.env.AIIMPROVE_BIN);
}

function childEnvironment(): NodeJS.ProcessEnv {
  const { PATH, HOME, AIIMPROVE_STATE, AIIMPROVE_DOOR } = process.env;
  const environment: NodeJS.ProcessEnv = { NODE_ENV: "production", LANG: "C.UTF-8", PATH: PATH ?? "/usr/bin:/bin" };
  if (HOME) environment.HOME = HOME;
  if (AIIMPROVE_STATE) environment.AIIMPROVE_STATE = AIIMPROVE_STATE;
  if (AIIMPROVE_DOOR) environment.AIIMPROVE_DOOR = AIIMPROVE_DOOR;
  return environment;
}

function exitCodeOf(error: ExecFileException | null): number | null {
  if (error === null) return 0;
  return typeof error.code === "number" ? error.code : null;
}

function readAnswer(call: Call, error: ExecFileException | null, stdout: string): Envelope {
  const exitCode = exitCodeOf(error);
  const envelope = parseEnvelope(stdout);
  if (envelope && envelope.exit_code === exitCode) return envelope;
  if (error?.killed && error.signal === "SIGKILL") {
    return failure(call.verb, "timeout", "aiimprove did not answer in time; look at its status before trying again.");
  }
  if (error?.code === "ERR_CHILD_PROCESS_STDIO_MAXBUFFER") {
    return failure(call.verb, "too_long", "aiimprove's answer is too long for this page; use aiimprove show in a terminal.");
  }
  if (exitCode === null) return failure(call.verb, "cannot_run", "aiimprove could not be run on the server.");
  return failure(call.verb, "unreadable_answer", "aiimprove gave an answer that could not be read.");
}

/** Runs one call and returns its envelope; never throws for anything the child does. */
export function run(call: Call, deadlineMs = DEFAULT_DEADLINE_MS): Promise<Envelope> {
  return new Promise((resolve) => {
    const options = {
      cwd: process.env.AIIMPROVE_REPOSITORY,
      env: childEnvironment(),
      timeout: deadlineMs,
      killSignal: "SIGKILL" as const,
      maxBuffer: MAX_ANSWER_BYTES,
      windowsHide: true,
    };
    const binary = process.env.AIIMPROVE_BIN ?? "";
    const child = execFile(/*turbopackIgnore: true*/ binary, call.args, options, (error, stdout) =>
      resolve(readAnswer(call, error, stdout)),
    );
    child.stdin?.on("error", () => undefined); // it may have ended without reading
    child.stdin?.end(`${call.secret}\n`);
  });
}
