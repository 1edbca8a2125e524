import type { ReactNode } from "react";
import styles from "./Notice.module.css";

/** What to show instead of content: nothing there, or nothing got. */
export function EmptyNotice({ title, children }: { title: string; children?: ReactNode }) {
  return (
    <div className={styles.notice}>
      <h2>{title}</h2>
      {children && <div className="soft">{children}</div>}
    </div>
  );
}

export function ErrorNotice({ message, onRetry }: { message: string; onRetry?: () => void }) {
  return (
    <div className={`${styles.notice} ${styles.error}`} role="alert">
      <h2>That did not work</h2>
      <p>{message}</p>
      {onRetry && (
        <button type="button" className="button" onClick={onRetry}>
          Try again
        </button>
      )}
    </div>
  );
}
