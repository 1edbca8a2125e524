// Completes .next/standalone, so that this one folder is all a release needs.
import { cpSync, existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
const target = join(here, ".next", "standalone");

for (const [from, to] of [[".next/static", ".next/static"], ["public", "public"], ["drain.cjs", "drain.cjs"]]) {
  if (existsSync(join(here, from))) cpSync(join(here, from), join(target, to), { recursive: true });
}
