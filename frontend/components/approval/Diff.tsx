import styles from "./approval.module.css";
import Plain from "./Plain";

const KINDS: [RegExp, string][] = [
  [/^(diff |index |--- |\+\+\+ |new file|deleted file|rename |similarity |old mode|new mode|Binary )/, "file"],
  [/^@@/, "hunk"],
  [/^\+/, "added"],
  [/^-/, "removed"],
];

/** In a hunk a line that begins with `--- ` is a removed line, not the head of a file. */
function kindsOf(lines: string[]): string[] {
  let left = { before: 0, after: 0 };
  return lines.map((line) => {
    if (left.before > 0 || left.after > 0) {
      if (line.startsWith("\\")) return "context";
      if (!line.startsWith("+")) left.before -= 1;
      if (!line.startsWith("-")) left.after -= 1;
      return line.startsWith("+") ? "added" : line.startsWith("-") ? "removed" : "context";
    }
    const hunk = /^@@ -\d+(?:,(\d+))? \+\d+(?:,(\d+))? @@/.exec(line);
    if (hunk) left = { before: Number(hunk[1] ?? 1), after: Number(hunk[2] ?? 1) };
    return KINDS.find(([pattern]) => pattern.test(line))?.[1] ?? "context";
  });
}

const SAID: Record<string, string> = { added: "added: ", removed: "removed: " };

export default function Diff({ diff }: { diff: string }) {
  const lines = diff.replace(/\n$/, "").split("\n");
  const kinds = kindsOf(lines);
  return (
    <div className={styles.diff} data-testid="ai-diff" role="region" aria-label="The change" tabIndex={0}>
      <pre dir="ltr">
        {lines.map((line, index) => (
          <span key={index} className={styles.line} data-kind={kinds[index]}>
            {SAID[kinds[index] ?? ""] && <span className="visually-hidden">{SAID[kinds[index] ?? ""]}</span>}
            <Plain>{line}</Plain>
            {"\n"}
          </span>
        ))}
      </pre>
    </div>
  );
}
