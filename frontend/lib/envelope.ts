/** The one JSON object that every `aiimprove ... --json` prints. */
export interface Envelope {
  aiimprove: 1;
  command: string;
  status: "ok" | "refused" | "failed" | "error";
  exit_code: number;
  data: Record<string, unknown>;
  errors: { code: string; message: string }[];
}

const HTTP_STATUS: Record<number, number> = { 0: 200, 1: 500, 2: 400, 3: 409, 4: 422, 5: 502, 6: 423, 7: 404, 130: 500 };

/** The HTTP status that stands for an exit code of the command line. */
export function httpStatus(exitCode: number): number {
  return HTTP_STATUS[exitCode] ?? 500;
}

/** An envelope of our own, for what went wrong on this side of the command line. */
export function failure(command: string, code: string, message: string, exitCode = 1): Envelope {
  return { aiimprove: 1, command, status: "error", exit_code: exitCode, data: {}, errors: [{ code, message }] };
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Reads an envelope; null if the text is anything else. */
export function parseEnvelope(text: string): Envelope | null {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return null;
  }
  if (!isRecord(value) || value.aiimprove !== 1 || !Number.isInteger(value.exit_code)) return null;
  if (!isRecord(value.data) || !Array.isArray(value.errors)) return null;
  return value as unknown as Envelope;
}

/** The code of the envelope's first error, or "". */
export function firstCode(envelope: Envelope | null): string {
  return envelope?.errors[0]?.code ?? "";
}

/** What to tell a person about an envelope that is not ok. */
export function inWords(envelope: Envelope | null): string {
  const sentences = envelope?.errors.map((error) => error?.message).filter((message) => typeof message === "string");
  return sentences?.length ? sentences.join(" ") : "The server gave an answer that could not be read.";
}
