"use client";

import Link from "next/link";
import { usePathname } from "next/navigation";
import styles from "./SiteHeader.module.css";

const PLACES = [
  { href: "/", label: "Browse" },
  { href: "/playlists", label: "Playlists" },
  { href: "/sources", label: "Sources" },
];

function isHere(path: string, href: string): boolean {
  return href === "/" ? path === "/" || path.startsWith("/videos") : path.startsWith(href);
}

export default function SiteHeader() {
  const path = usePathname() ?? "/";
  return (
    <header className={styles.header}>
      <div className={styles.inner}>
        <Link href="/" className={styles.brand}>
          <svg viewBox="0 0 32 32" width="28" height="28" aria-hidden="true">
            <rect width="32" height="32" rx="9" fill="var(--accent)" />
            <path d="M12.5 9.8v12.4L23 16Z" fill="var(--accent-ink)" />
          </svg>
          <span>Video Library</span>
        </Link>
        <nav aria-label="Main">
          <ul className={styles.places}>
            {PLACES.map(({ href, label }) => (
              <li key={href}>
                <Link href={href} aria-current={isHere(path, href) ? "page" : undefined}>
                  {label}
                </Link>
              </li>
            ))}
          </ul>
        </nav>
      </div>
    </header>
  );
}
