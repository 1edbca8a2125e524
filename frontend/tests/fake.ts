import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));

export const FRONTEND = dirname(here);
export const TOKEN = "valid-operator-token";
export const ORIGIN = "http://localhost:4310";
export const ID = "bound-page-number";
export const DIGEST = "a".repeat(64);

export interface CallRecord {
  word: "start" | "end";
  pid: number;
  verb: string;
  argv?: string[];
  environment?: string[];
}

/** The fake command line with a state folder of its own; the environment points to it until it is closed. */
export class FakeCli {
  readonly state = mkdtempSync(join(tmpdir(), "fake-aiimprove-"));

  constructor() {
    process.env.AIIMPROVE_BIN = join(here, "fake-aiimprove.mjs");
    process.env.AIIMPROVE_STATE = this.state;
    process.env.AIIMPROVE_REPOSITORY = this.state;
    process.env.AIIMPROVE_ORIGINS = `${ORIGIN},http://127.0.0.1:4310`;
  }

  behave(behaviour: Record<string, unknown>): void {
    this.write("behaviour.json", behaviour);
  }

  write(name: string, value: unknown): void {
    writeFileSync(join(this.state, name), JSON.stringify(value));
  }

  calls(): CallRecord[] {
    try {
      const lines = readFileSync(join(this.state, "calls.log"), "utf8").trim().split("\n");
      return lines.map((line) => JSON.parse(line) as CallRecord);
    } catch {
      return [];
    }
  }

  starts(): CallRecord[] {
    return this.calls().filter(({ word }) => word === "start");
  }

  /** The most that ran at the same time. */
  mostAtOnce(): number {
    let now = 0;
    return Math.max(0, ...this.calls().map(({ word }) => (now += word === "start" ? 1 : -1)));
  }

  close(): void {
    for (const name of ["BIN", "STATE", "REPOSITORY", "ORIGINS"]) delete process.env[`AIIMPROVE_${name}`];
    rmSync(this.state, { recursive: true, force: true });
  }
}
